import HTTPMessages
import MockServeCore

/// What the formats for people have in common.
enum TextParts {
    /// `GET https://api.example.com/users?page=2 → 200 OK, application/json`
    static func summary(_ interaction: WholeInteraction) -> String {
        let (request, response) = (interaction.request, interaction.response)
        let reason = response.reason.map { $0.isEmpty ? "" : " " + VisibleText.line(Latin1.string($0)) } ?? ""
        let type = response.fields.first("content-type").map {
            ", " + VisibleText.line(Latin1.string(MediaType($0).essence.utf8))
        }
        let url = AbsoluteURL.text(interaction.origin, request.target)
        return "\(Latin1.string(request.method)) \(url) → \(response.status)\(reason)\(type ?? "")"
    }
}
