extension KeyShape {
    /// Offices, maps, games and things.
    static let other: [KeyShape] = [
        // Files in base64, as in kubeconfig and Kubernetes secrets.
        KeyShape(
            "private-key",
            "LS0tLS1CRUdJTiBQUklWQVRF[A-Za-z0-9+/]{40,}[=]{0,2}",
            source: "RFC 7468 §10, RFC 4648 §4"
        ),
        KeyShape(
            "private-key",
            "LS0tLS1CRUdJTiBFTkNSWVBURUQgUFJJVkFURS[A-Za-z0-9+/]{40,}[=]{0,2}",
            source: "RFC 7468 §11, RFC 4648 §4"
        ),
        KeyShape(
            "private-key",
            "LS0tLS1CRUdJTiBSU0EgUFJJVkFURS[A-Za-z0-9+/]{40,}[=]{0,2}",
            source: "RFC 8017 A.1.2, RFC 4648 §4"
        ),
        KeyShape("private-key", "LS0tLS1CRUdJTiBFQyBQUklWQVRF[A-Za-z0-9+/]{40,}[=]{0,2}", source: "RFC 5915 §4"),
        KeyShape(
            "private-key",
            "LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVE[A-Za-z0-9+/]{40,}[=]{0,2}",
            source: "OpenSSH, PROTOCOL.key"
        ),
        KeyShape(
            "registry-credentials",
            "eyJhdXRocyI6[A-Za-z0-9+/]{24,}[=]{0,2}",
            source: "Docker, docker login: config.json"
        ),
        // Offices and designers.
        KeyShape(
            "figma-token",
            "(figd_|figu_|figo_|figr_)[A-Za-z0-9_-]{38,}",
            source: "Figma, REST API: Authentication"
        ),
        KeyShape("notion-token", "ntn_[A-Za-z0-9]{40,}", source: "Notion, Authorization; Changelog: New token prefix"),
        KeyShape("notion-token", "secret_[A-Za-z0-9]{43}", source: "Notion, Authorization"),
        KeyShape("linear-key", "lin_api_[A-Za-z0-9]{40}", source: "Linear, API and webhooks: Personal API keys"),
        KeyShape("linear-token", "lin_oauth_[0-9a-f]{64}", source: "Linear, OAuth 2.0 authentication"),
        KeyShape("linear-webhook-secret", "lin_wh_[A-Za-z0-9]{40,}", source: "Linear, Webhooks: Securing webhooks"),
        KeyShape("airtable-token", "pat[A-Za-z0-9]{14}.[0-9a-f]{64}", source: "Airtable, Personal access tokens"),
        KeyShape(
            "asana-token",
            "(0/|1/|2/)[0-9/]{10,}:[0-9a-f]{32}",
            beside: "asana",
            source: "Asana, Personal access tokens"
        ),
        KeyShape("clickup-token", "pk_[0-9]{5,12}_[A-Z0-9]{32}", source: "ClickUp, Authentication: Personal token"),
        KeyShape("trello-token", "ATTA[0-9a-f]{64}[0-9A-F]{8}", source: "Trello, API introduction: Token format"),
        KeyShape(
            "hubspot-token",
            "pat-(na1|na2|na3|eu1|ap1)-[0-9a-f-]{36}",
            source: "HubSpot, Private apps: Access tokens"
        ),
        KeyShape("contentful-token", "CFPAT-[A-Za-z0-9_-]{43}", source: "Contentful, Personal access tokens"),
        KeyShape("typeform-token", "tfp_[A-Za-z0-9_.=-]{40,}", source: "Typeform, Personal access tokens"),
        KeyShape("dropbox-token", "sl.[A-Za-z0-9_.-]{130,}", source: "Dropbox, OAuth guide: Short-lived tokens"),
        KeyShape(
            "evernote-token",
            "s[0-9]{1,}:U=[0-9a-f]{1,}:E=[0-9a-f]{1,}:C=[0-9a-f]{1,}:P=[0-9a-f]{1,}:A=[a-z0-9-]{1,}:V=2:H=[0-9a-f]{32}",
            source: "Evernote, Developer tokens"
        ),
        KeyShape("plane-key", "plane_api_[0-9a-f]{32}", source: "Plane, API authentication"),
        KeyShape("outline-key", "ol_api_[A-Za-z0-9]{38}", source: "Outline, API keys"),
        KeyShape("calcom-key", "(cal_live_|cal_test_)[A-Za-z0-9]{24,}", source: "Cal.com, API authentication"),
        KeyShape(
            "salesforce-token",
            "00D[A-Za-z0-9]{12}![A-Za-z0-9._]{80,}",
            source: "Salesforce, OAuth 2.0 web server flow: Access token"
        ),
        KeyShape(
            "salesforce-refresh-token",
            "5Aep861[A-Za-z0-9._]{60,}",
            source: "Salesforce, OAuth 2.0 refresh token flow"
        ),
        KeyShape("zoho-token", "1000.[0-9a-f]{32}.[0-9a-f]{32}", source: "Zoho, OAuth 2.0: Access and refresh tokens"),
        KeyShape("adobe-secret", "p8e-[A-Za-z0-9_-]{32}", source: "Adobe, OAuth server-to-server credential"),
        // Maps, searches and collections.
        KeyShape("mapbox-token", "(sk.|tk.)eyJ[A-Za-z0-9_-]{40,}.[A-Za-z0-9_-]{20,}", source: "Mapbox, Access tokens"),
        KeyShape("maxmind-key", "[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk", source: "MaxMind, License keys"),
        KeyShape("foursquare-key", "fsq3[A-Za-z0-9+/=]{44}", source: "Foursquare, Places API: Authentication"),
        KeyShape("algolia-key", "[0-9a-f]{32}", beside: "algolia", source: "Algolia, API keys"),
        KeyShape("apify-token", "(apify_api_|apify_proxy_)[A-Za-z0-9]{34,}", source: "Apify, API integration"),
        KeyShape(
            "rapidapi-key",
            "[0-9a-f]{10}msh[0-9a-f]{15}p1[0-9a-f]{5}jsn[0-9a-f]{12}",
            source: "RapidAPI, API keys"
        ),
        KeyShape("deepl-key", "[0-9a-f-]{36}:fx", source: "DeepL, Authentication"),
        KeyShape("deepl-key", "[0-9a-f-]{36}", beside: "deepl", source: "DeepL, Authentication"),
        // Games, media and things.
        KeyShape("riot-key", "RGAPI-[0-9a-f-]{36}", source: "Riot Games, Developer portal: API keys"),
        KeyShape("lichess-token", "(lip_|lio_)[A-Za-z0-9]{20,}", source: "Lichess, API: Authentication"),
        KeyShape(
            "roblox-cookie",
            #"_\|WARNING:-DO-NOT-SHARE-THIS.--[A-Za-z-]{40,}.\|_[A-Za-z0-9_.-]{100,}"#,
            source: "Roblox, Cookie authentication"
        ),
        KeyShape("frameio-token", "fio-u-[A-Za-z0-9_-]{60,}", source: "Frame.io, Authentication: Developer tokens"),
        KeyShape("adafruit-key", "aio_[A-Za-z0-9]{28}", source: "Adafruit IO, API keys"),
        KeyShape("intra42-secret", "(s-s4t2ud-|s-s4t2af-)[0-9a-f]{64}", source: "42, API: Getting started"),
        KeyShape("settlemint-token", "(sm_aat_|sm_pat_|sm_sat_)[A-Za-z0-9]{16,}", source: "SettleMint, Access tokens"),
        KeyShape("zuplo-key", "zpka_[a-z0-9]{32}_[a-z0-9]{8}", source: "Zuplo, API key format"),
        KeyShape("samsara-token", "samsara_api_[A-Za-z0-9]{30}", source: "Samsara, Authentication: API tokens"),
        KeyShape("aftership-key", "asat_[0-9a-f]{32}", source: "AfterShip, API authentication"),
        KeyShape(
            "ebay-secret",
            "(PRD-|SBX-)[0-9a-f]{12}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}",
            source: "eBay, Get the application keysets: Cert ID"
        ),
        KeyShape("ebay-token", "v^1.1#i^1#[A-Za-z0-9#^+/=]{60,}", source: "eBay, OAuth access tokens"),
    ]
}
