// Who imports `MockServe` has it too: bodies and answers of stubs are made from it.
@_exported public import enum MockServeCore.JSONValue
