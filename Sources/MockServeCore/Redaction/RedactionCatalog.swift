import HTTPMessages

/// What is taken for a secret by default, up to version 3; from version 4 on, the fields only: other names are in
/// `SecretName`, shapes in `KeyShape.all`.
///
/// Names are compared ignoring case, `-` and `_`. A cassette is matched with the version it was recorded with, so that a
/// newer one never turns its answers into misses. So once a version is released, what it finds in requests must stay:
/// whoever changes that gives the new way a new version, and keeps the old one in `Earlier`.
package enum RedactionCatalog {
    /// The version.
    ///
    /// 2: a body that is neither a form nor multipart, and whose label leaves open what it is, is searched as JSON.
    /// 3: a body that begins as JSON is searched as JSON, whatever its label says; one that may be anything, for pairs
    ///    of forms too, and multipart for JSON; names in brackets (`user[password]`) count as names; a value may be the
    ///    first of an array; a field of credentials keeps its scheme only if that is a known one; fields whose names
    ///    hold a secret are left out.
    /// 4: secrets are searched for in another way (`SecretSearch`): by names read as words, in any text; by the shapes of
    ///    `KeyShape`; and those that were come across. This list has only the fields then.
    package static let version = 4
    /// The first version that is searched for by `SecretSearch`.
    static let firstSearched = 4

    /// Authentication schemes, in lower case: IANA, "HTTP Authentication Schemes"; and those that large services made
    /// up. What comes before a space and is not one of them may be the secret itself.
    static let schemes: Set<String> = [
        "basic", "bearer", "concealed", "digest", "dpop", "gnap", "hoba", "mutual", "negotiate", "oauth",
        "privatetoken",
        "scram-sha-1", "scram-sha-256", "vapid",
        // AWS Signature Version 4 and 2; Azure Storage; Google, "ClientLogin"; GitHub, Django and Rails, "Token
        // authentication".
        "aws4-hmac-sha256", "aws4-ecdsa-p256-sha256", "aws", "sharedkey", "sharedkeylite", "sharedaccesssignature",
        "googlelogin", "token", "apikey", "api-key", "key",
        // Microsoft, "NTLM"; Hawk; OAuth 2.0 MAC; Signing HTTP messages, drafts; Okta, "SSWS"; Snowflake; Splunk;
        // Opsgenie; Akamai EdgeGrid; Discord, "Bot"; Unsplash, "Client-ID"; DeepL.
        "ntlm", "hawk", "mac", "signature", "ssws", "snowflake", "splunk", "jwt", "geniekey", "eg1-hmac-sha256",
        "hmac-sha256", "bot",
        "client-id", "deepl-auth-key",
    ]

    /// A name whose value is a secret in queries, forms and JSON members.
    struct Name: Sendable {
        let name: String
    }

    /// A field whose value, or what follows the scheme in it, is a secret.
    struct FieldName: Sendable {
        let name: String
        let kind: String
    }

    /// A shape by which a secret is recognised anywhere. The one group of the expression (RE2) is the secret.
    struct Shape: Sendable {
        let kind: String
        let pattern: String
        /// Where the shape is described.
        let source: String
    }

    // MARK: Fields

    /// `Cookie` and `Set-Cookie` are redacted separately: names and attributes stay.
    static let fields: [FieldName] = [
        // RFC 9110 §11.6.2, §11.7.2.
        FieldName(name: "Authorization", kind: "authorization"),
        FieldName(name: "Proxy-Authorization", kind: "proxy-authorization"),
        // Amazon API Gateway, "API key sources"; the de facto standard of many others.
        FieldName(name: "X-API-Key", kind: "api-key"), FieldName(name: "Api-Key", kind: "api-key"),
        FieldName(name: "ApiKey", kind: "api-key"),
        // OpenStack Identity API v3, "Authentication and token management".
        FieldName(name: "X-Auth-Token", kind: "auth-token"), FieldName(name: "X-Subject-Token", kind: "auth-token"),
        FieldName(name: "X-Access-Token", kind: "access-token"),
        // AWS Signature Version 4, "Using temporary security credentials".
        FieldName(name: "X-Amz-Security-Token", kind: "aws-security-token"),
        // Google Cloud, "Use API keys to access APIs".
        FieldName(name: "X-Goog-Api-Key", kind: "api-key"),
        // Anthropic API, "Authentication"; it is X-API-Key there. Azure OpenAI takes Api-Key.
        // Azure API Management, "Subscriptions".
        FieldName(name: "Ocp-Apim-Subscription-Key", kind: "api-key"),
        // GitLab REST API, "Authentication".
        FieldName(name: "Private-Token", kind: "private-token"), FieldName(name: "Job-Token", kind: "private-token"),
        FieldName(name: "Deploy-Token", kind: "private-token"),
        // GitHub, "Validating webhook deliveries": a keyed digest, with which guesses of the key can be checked.
        FieldName(name: "X-Hub-Signature", kind: "signature"),
        FieldName(name: "X-Hub-Signature-256", kind: "signature"),
        // HashiCorp Vault HTTP API, "Authentication".
        FieldName(name: "X-Vault-Token", kind: "vault-token"),
        // Shopify Admin API, "Authentication".
        FieldName(name: "X-Shopify-Access-Token", kind: "access-token"),
        // Datadog API, "Authentication".
        FieldName(name: "DD-Api-Key", kind: "api-key"), FieldName(name: "DD-Application-Key", kind: "api-key"),
        // Slack, "Verifying requests from Slack"; Stripe, "Check the webhook signatures".
        FieldName(name: "X-Slack-Signature", kind: "signature"), FieldName(name: "Stripe-Signature", kind: "signature"),
    ]

    // MARK: Names of query parameters, form fields and JSON members

    static let names: [Name] = [
        // OAuth 2.0: RFC 6749 §2.3.1, §4.1.3, §5.1, §6; OpenID Connect Core §3.1.3.3; RFC 7523 §2.2.
        Name(name: "access_token"), Name(name: "refresh_token"), Name(name: "id_token"), Name(name: "client_secret"),
        Name(name: "client_assertion"), Name(name: "code_verifier"), Name(name: "device_code"),
        // RFC 6749 §4.3.2, and every login form.
        Name(name: "password"), Name(name: "passwd"), Name(name: "passphrase"), Name(name: "new_password"),
        Name(name: "old_password"), Name(name: "current_password"),
        // Widely used for keys and tokens of APIs (OWASP ASVS 4.0.3 §8.3.1: none of them belongs in a URL).
        Name(name: "api_key"), Name(name: "x_api_key"), Name(name: "auth_token"), Name(name: "token"),
        Name(name: "secret"),
        Name(name: "secret_key"), Name(name: "private_key"), Name(name: "session_token"), Name(name: "bearer_token"),
        // AWS Security Token Service, "Credentials".
        Name(name: "secret_access_key"),
        // Twilio, Mailgun and others, "Authentication".
        Name(name: "webhook_secret"), Name(name: "signing_secret"),
    ]

    /// In queries only.
    static let queryNames: [Name] = [
        // AWS Signature Version 4, "Authenticating requests: using query parameters"; version 2, "REST authentication".
        Name(name: "X-Amz-Signature"), Name(name: "X-Amz-Credential"), Name(name: "X-Amz-Security-Token"),
        Name(name: "AWSAccessKeyId"), Name(name: "Signature"),
        // Google Cloud Storage, "V4 signing process".
        Name(name: "X-Goog-Signature"), Name(name: "X-Goog-Credential"),
        // Azure Storage, "Create a service SAS".
        Name(name: "sig"),
        // Azure API Management, "Subscriptions".
        Name(name: "subscription-key"),
    ]

    // MARK: Shapes

    static let shapes: [Shape] = [
        Shape(
            kind: "aws-access-key",
            pattern: #"\b((?:AKIA|ASIA)[0-9A-Z]{16})"#,
            source: "AWS IAM, Unique identifiers"
        ),
        Shape(
            kind: "github-token",
            pattern: #"\b(gh[opsur]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{36,})"#,
            source: "GitHub, Behind GitHub's new authentication token formats"
        ),
        Shape(
            kind: "gitlab-token",
            pattern: #"\b(gl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct)-[A-Za-z0-9_-]{20,})"#,
            source: "GitLab, Token overview: Token prefixes"
        ),
        Shape(
            kind: "slack-token",
            pattern: #"\b(xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,})"#,
            source: "Slack, Token types"
        ),
        Shape(
            kind: "slack-webhook",
            pattern: #"hooks\.slack\.com/services/(T[A-Za-z0-9_]+/B[A-Za-z0-9_]+/[A-Za-z0-9_]{16,})"#,
            source: "Slack, Sending messages using incoming webhooks"
        ),
        Shape(
            kind: "stripe-key",
            pattern: #"\b((?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{16,})"#,
            source: "Stripe, API keys"
        ),
        Shape(
            kind: "openai-or-anthropic-key",
            pattern: #"\b(sk-(?:proj|svcacct|admin|ant|or|None)-[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9]{32,})"#,
            source: "OpenAI, API keys; Anthropic, Getting started; OpenRouter, Authentication"
        ),
        Shape(
            kind: "google-key",
            pattern: #"\b(AIza[0-9A-Za-z_-]{35}|ya29\.[0-9A-Za-z_.-]{20,}|GOCSPX-[0-9A-Za-z_-]{28})"#,
            source: "Google Cloud, API keys; Google Identity, OAuth 2.0"
        ),
        Shape(
            kind: "jwt",
            pattern: #"\b(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+)"#,
            source: "RFC 7519 §3, RFC 7515 §7.1: a JSON object in base64url begins with eyJ"
        ),
        Shape(
            kind: "private-key",
            // The placeholder has a hyphen in it.
            pattern:
                #"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----((?:\[redacted:private-key(?::[0-9]+)?\]|[^-])+)"#,
            source: "RFC 7468 §10, §11; RFC 9580 §6.2"
        ),
        Shape(
            kind: "url-user",
            pattern: #"\b[a-z][a-z0-9+.-]{1,20}://([^\s/?#@:"'<>\\]{1,256}:[^\s/?#@"'<>\\]{1,256})@"#,
            source: "RFC 3986 §3.2.1"
        ),
    ]

    /// A name as it is compared: in lower case, without `-` and `_`.
    package static func comparable(_ name: some Sequence<UInt8>) -> String {
        String(
            decoding: name.compactMap { byte in
                switch byte {
                case 0x41...0x5A: byte | 0x20
                case UInt8(ascii: "-"), UInt8(ascii: "_"): nil
                default: byte
                }
            },
            as: UTF8.self
        )
    }
}
