/// What the journal says of an exchange in addition to its request and what became of that.
struct ExchangeNotes: Sendable {
    /// As `JournalEntry.remark`.
    var remark: String?
    /// The content of the exchange, if it is kept.
    var log: ExchangeLog?
    /// Nil if the client has shown no certificate.
    var client: ClientIdentity?
}

extension Exchange {
    var notes: ExchangeNotes { ExchangeNotes(remark: fault, log: log, client: client) }
}
