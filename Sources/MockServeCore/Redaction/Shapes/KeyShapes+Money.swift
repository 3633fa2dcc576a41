extension KeyShape {
    /// Payment, trade and banks.
    static let money: [KeyShape] = [
        // Paystack, PayMongo and Clerk give out keys of the form that Stripe used first.
        KeyShape(
            "stripe-key",
            "(sk_live_|sk_test_|rk_live_|rk_test_|ek_live_|ek_test_)[A-Za-z0-9]{16,}",
            source: "Stripe, API keys; Paystack, Authentication"
        ),
        KeyShape("stripe-key", "sk_org_[A-Za-z0-9_]{20,}", source: "Stripe, Organization API keys"),
        KeyShape(
            "webhook-secret",
            "whsec_[A-Za-z0-9+/=]{24,}",
            source: "Stripe, Webhook signatures; Standard Webhooks, Symmetric signatures"
        ),
        KeyShape("square-token", "EAAA[A-Za-z0-9_-]{60}", source: "Square, Access tokens"),
        KeyShape("square-token", "sq0atp-[A-Za-z0-9_-]{22}", source: "Square, Access tokens"),
        KeyShape(
            "square-secret",
            "(sq0csp-|sq0csb-)[A-Za-z0-9_-]{43}",
            source: "Square, OAuth API: Application secret"
        ),
        KeyShape("paypal-token", "A21AA[A-Za-z0-9_-]{80,}", source: "PayPal, REST APIs: Authentication"),
        KeyShape(
            "paypal-secret",
            "[A-Za-z0-9_-]{80}",
            beside: "paypal",
            source: "PayPal, REST APIs: Get client ID and client secret"
        ),
        KeyShape(
            "braintree-token",
            "access_token$(production|sandbox)$[a-z0-9]{16}$[0-9a-f]{32}",
            source: "Braintree, Braintree auth: Access tokens"
        ),
        KeyShape("razorpay-key", "(rzp_live_|rzp_test_)[A-Za-z0-9]{14}", source: "Razorpay, API keys"),
        KeyShape("flutterwave-key", "(FLWSECK-|FLWSECK_TEST-)[A-Za-z0-9-]{20,}", source: "Flutterwave, API keys"),
        KeyShape(
            "adyen-key",
            #"AQE[a-z]{1}hm[A-Za-z0-9+/=]{30,}-[A-Za-z0-9+/=]{20,}-[A-Za-z0-9!#$%()*+./:?@^_`\{\|\}~-]{8,}"#,
            source: "Adyen, API credentials: API key"
        ),
        KeyShape("checkout-key", "sk_sbox_[a-z0-9]{26}", source: "Checkout.com, API keys"),
        KeyShape("checkout-key", "sk_[0-9a-f-]{36}", source: "Checkout.com, API keys"),
        KeyShape(
            "mollie-key",
            "(live_|test_|access_)[A-Za-z0-9]{30,}",
            beside: "mollie",
            source: "Mollie, Authentication"
        ),
        KeyShape(
            "klarna-key",
            "(klarna_live_api_|klarna_test_api_)[A-Za-z0-9!?*/()#=+_-]{40,}",
            source: "Klarna, API authentication"
        ),
        KeyShape("sumup-key", "sup_sk_[A-Za-z0-9]{30,}", source: "SumUp, API keys"),
        KeyShape(
            "paddle-key",
            "(pdl_live_apikey_|pdl_sdbx_apikey_)[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}",
            source: "Paddle, API keys: Format"
        ),
        KeyShape(
            "paddle-webhook-secret",
            "pdl_ntfset_[a-z0-9]{26}_[A-Za-z0-9+/]{32}",
            source: "Paddle, Webhook signature verification"
        ),
        // Only newer ones carry a checksum.
        KeyShape(
            "polar-token",
            "polar_(oat_|pat_|at_u_|at_o_|rt_u_|rt_o_|cst_|crt_|cs_)[A-Za-z0-9_-]{43}",
            source: "Polar, Organization access tokens"
        ),
        KeyShape("polar-webhook-secret", "polar_whs_[A-Za-z0-9+/=_-]{24,}", source: "Polar, Webhooks"),
        KeyShape(
            "shopify-token",
            "(shpat_|shpca_|shppa_|shpss_|shpua_|prtapi_)[0-9a-fA-F]{32}",
            source: "Shopify, Access tokens; Partner API"
        ),
        KeyShape("shippo-token", "(shippo_live_|shippo_test_)[0-9a-f]{40}", source: "Shippo, Authentication"),
        KeyShape("easypost-key", "(EZAK|EZTK)[A-Za-z0-9]{54}", source: "EasyPost, API keys"),
        KeyShape(
            "plaid-token",
            "(access-|public-)(production|sandbox|development)-[0-9a-f-]{36}",
            source: "Plaid, API: Token flows"
        ),
        KeyShape("plaid-secret", "[0-9a-f]{30}", beside: "plaid", source: "Plaid, API keys and access"),
        KeyShape("lob-key", "(live_|test_)[0-9a-f]{35}", source: "Lob, API keys"),
        KeyShape("duffel-token", "(duffel_live_|duffel_test_)[A-Za-z0-9_-]{43}", source: "Duffel, Access tokens"),
        KeyShape("xendit-key", "(xnd_development_|xnd_production_)[A-Za-z0-9]{40,}", source: "Xendit, API keys"),
        KeyShape("midtrans-key", "Mid-server-[A-Za-z0-9_-]{24}", source: "Midtrans, Access keys"),
        KeyShape("omise-key", "skey_[a-z0-9]{19}", source: "Omise, API authentication"),
        KeyShape("omise-key", "skey_test_[a-z0-9]{19}", source: "Omise, API authentication"),
        KeyShape(
            "mercadopago-token",
            "(APP_USR-|TEST-)[0-9]{12,20}-[0-9]{6}-[0-9a-f]{32}-[0-9]{5,}",
            source: "Mercado Pago, Credentials"
        ),
        KeyShape("asaas-key", "$aact_[A-Za-z0-9_:=+/$-]{60,}", source: "Asaas, API authentication"),
        KeyShape(
            "revolut-token",
            "(oa_prod_|oa_sand_)[A-Za-z0-9_-]{43}",
            source: "Revolut, Business API: Access tokens"
        ),
        KeyShape("brex-token", "bxt_[A-Za-z0-9]{30,}", source: "Brex, API authentication: User tokens"),
        KeyShape(
            "ramp-token",
            "(ramp_business_tok_|ramp_id_|ramp_sec_)[A-Za-z0-9]{40,}",
            source: "Ramp, Developer API: Authorization"
        ),
        KeyShape(
            "bip32-private-key",
            "(xprv|yprv|zprv|tprv)[1-9A-HJ-NP-Za-km-z]{107}",
            source: "Bitcoin, BIP 32: Serialization format; BIP 84"
        ),
        KeyShape(
            "nostr-private-key",
            "nsec1[02-9ac-hj-np-z]{58}",
            check: .bech32,
            source: "Nostr, NIP-19: bech32-encoded entities"
        ),
    ]
}
