extension KeyShape {
    /// Chat, mail, telephone, webhooks and networks of people.
    static let messages: [KeyShape] = [
        // Slack.
        KeyShape(
            "slack-token",
            "(xoxa-|xoxb-|xoxc-|xoxe-|xoxo-|xoxp-|xoxr-|xoxs-)[A-Za-z0-9-]{20,}",
            source: "Slack, Token types"
        ),
        KeyShape("slack-token", "(xoxe.xoxp-|xoxe.xoxb-)[A-Za-z0-9-]{20,}", source: "Slack, Token rotation"),
        KeyShape("slack-token", "xoxd-[A-Za-z0-9%+/=_-]{40,}", source: "Slack, Token types"),
        KeyShape("slack-app-token", "xapp-[0-9]{1}-[A-Za-z0-9-]{20,}", source: "Slack, App-level tokens"),
        KeyShape(
            "slack-webhook",
            "hooks.slack.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{20,}",
            source: "Slack, Sending messages using incoming webhooks"
        ),
        KeyShape(
            "slack-webhook",
            "hooks.slack-gov.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{20,}",
            source: "Slack, GovSlack: Incoming webhooks"
        ),
        KeyShape(
            "slack-workflow-webhook",
            "hooks.slack.com/(workflows|triggers)/[ET]{1}[A-Z0-9]{8,}/[A-Za-z0-9/]{20,}",
            source: "Slack, Build a workflow: Create a workflow that starts with a webhook"
        ),
        KeyShape(
            "slack-signing-secret",
            "[0-9a-f]{32}",
            beside: "slack",
            source: "Slack, Verifying requests from Slack"
        ),
        // Other chats.
        KeyShape("discord-token", "mfa.[A-Za-z0-9_-]{84}", source: "Discord, API reference: Authentication"),
        KeyShape(
            "discord-token",
            "[MNO]{1}[A-Za-z0-9_-]{23,27}.[A-Za-z0-9_-]{6}.[A-Za-z0-9_-]{27,38}",
            beside: "discord",
            source: "Discord, API reference: Authentication"
        ),
        KeyShape(
            "discord-webhook",
            "(discord.com|discordapp.com)/api/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,}",
            source: "Discord, Webhook resource"
        ),
        KeyShape(
            "discord-webhook",
            "(discord.com|discordapp.com)/api/(v8|v9|v10)/webhooks/[0-9]{17,20}/[A-Za-z0-9_-]{60,}",
            source: "Discord, Webhook resource"
        ),
        KeyShape(
            "telegram-bot-token",
            "[0-9]{8,12}:AA[A-Za-z0-9_-]{32,33}",
            source: "Telegram, Bot API: Authorizing your bot"
        ),
        KeyShape(
            "telegram-bot-token",
            "bot[0-9]{8,12}:AA[A-Za-z0-9_-]{32,33}",
            source: "Telegram, Bot API: Making requests"
        ),
        KeyShape(
            "teams-webhook",
            "webhook.office.com/webhookb2/[0-9a-f-]{36}@[0-9a-f-]{36}/IncomingWebhook/[A-Za-z0-9/_-]{60,}",
            source: "Microsoft Teams, Create incoming webhooks"
        ),
        KeyShape(
            "teams-webhook",
            "outlook.office.com/webhook/[0-9a-f-]{36}@[0-9a-f-]{36}/[A-Za-z]{8,}/[A-Za-z0-9/_-]{60,}",
            source: "Microsoft Teams, Office 365 connectors"
        ),
        KeyShape(
            "webex-webhook",
            "webexapis.com/v1/webhooks/incoming/[A-Za-z0-9_-]{60,}",
            source: "Cisco Webex, Incoming webhooks"
        ),
        KeyShape(
            "lark-webhook",
            "(open.feishu.cn|open.larksuite.com)/open-apis/bot/v2/hook/[0-9a-f-]{36}",
            source: "Lark, Use bots in groups: Custom bots"
        ),
        KeyShape("dingtalk-secret", "SEC[0-9a-f]{64}", source: "DingTalk, Custom robots: Signing"),
        KeyShape(
            "line-token",
            "[A-Za-z0-9+/]{150}dB04t89/1O/w1cDnyilFU=",
            source: "LINE, Channel access tokens: Long-lived"
        ),
        KeyShape(
            "matrix-token",
            "(syt_|syr_)[A-Za-z0-9+/]{2,}_[A-Za-z]{20}_[A-Za-z0-9]{6}",
            check: .crc32Base62Field,
            source: "Matrix, Synapse: Access token format"
        ),
        KeyShape(
            "matrix-token",
            "(mat_|mar_|mct_|mcr_)[A-Za-z0-9]{30}_[A-Za-z0-9]{6}",
            source: "Element, Matrix Authentication Service: Tokens"
        ),
        KeyShape("intercom-token", "dG9rO[A-Za-z0-9+/]{54}=", source: "Intercom, Authentication: Access tokens"),
        KeyShape("zendesk-token", "[A-Za-z0-9]{40}", beside: "zendesk", source: "Zendesk, API tokens"),
        // Webhooks of services that pass events on.
        KeyShape(
            "zapier-webhook",
            "hooks.zapier.com/hooks/(catch|standard)/[0-9]{4,}/[A-Za-z0-9]{6,}",
            source: "Zapier, Trigger Zaps from webhooks"
        ),
        KeyShape("ifttt-webhook", "with/key/[A-Za-z0-9_-]{20,}", source: "IFTTT, Webhooks: How to use"),
        KeyShape("make-webhook", "hook.(eu1|eu2|us1|us2).make.com/[a-z0-9]{32}", source: "Make, Webhooks"),
        KeyShape("make-webhook", "hook.integromat.com/[a-z0-9]{32}", source: "Make, Webhooks"),
        KeyShape("healthchecks-ping", "hc-ping.com/[0-9a-f-]{36}", source: "Healthchecks.io, Pinging API"),
        KeyShape("n8n-key", "n8n_api_[0-9a-f]{40,}", source: "n8n, API authentication"),
        KeyShape(
            "inngest-key",
            "(signkey-prod-|signkey-test-|signkey-branch-)[0-9a-f]{32,}",
            source: "Inngest, Signing keys"
        ),
        // Mail, telephone and notifications.
        KeyShape("twilio-key", "SK[0-9a-f]{32}", source: "Twilio, API keys overview"),
        KeyShape(
            "twilio-auth-token",
            "[A-Za-z0-9]{32}",
            beside: "twilio",
            source: "Twilio, Auth tokens and how to change them"
        ),
        KeyShape("sendgrid-key", "SG.[A-Za-z0-9_-]{22}.[A-Za-z0-9_-]{43}", source: "Twilio SendGrid, API keys"),
        KeyShape("mailgun-key", "key-[a-z0-9]{32}", source: "Mailgun, API authentication"),
        KeyShape(
            "mailgun-key",
            "[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}",
            beside: "mailgun",
            source: "Mailgun, API key management"
        ),
        KeyShape("mailchimp-key", "[0-9a-f]{32}-us[0-9]{1,2}", source: "Mailchimp, About API keys"),
        KeyShape(
            "brevo-key",
            "(xkeysib-|xsmtpsib-)[0-9a-f]{64}-[A-Za-z0-9]{16}",
            source: "Brevo, Create and manage your API keys"
        ),
        KeyShape("postmark-token", "[0-9a-f-]{36}", beside: "postmark", source: "Postmark, API authentication"),
        KeyShape("resend-key", "re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}", source: "Resend, API keys"),
        KeyShape("mailjet-key", "[0-9a-f]{32}", beside: "mailjet", source: "Mailjet, API authentication"),
        KeyShape("mailersend-token", "mlsn.[0-9a-f]{64}", source: "MailerSend, API tokens"),
        KeyShape("klaviyo-key", "pk_[0-9a-f]{34}", source: "Klaviyo, Authenticate API requests"),
        KeyShape("kit-key", "kit_[0-9a-f]{32}", source: "Kit, API V4: API key authentication"),
        KeyShape("onesignal-key", "(os_v2_app_|os_v2_org_)[a-z2-7]{80,}", source: "OneSignal, Keys and IDs"),
        KeyShape("pubnub-secret", "sec-c-[A-Za-z0-9=]{40,}", source: "PubNub, Manage keys"),
        KeyShape("telnyx-key", "KEY[0-9A-F]{32}_[A-Za-z0-9]{22}", source: "Telnyx, API keys"),
        KeyShape("courier-key", "(pk_prod_|pk_test_)[A-Z0-9]{28}", source: "Courier, Authentication"),
        // Networks of people.
        // `EAAA` is also how binary data begins in base64.
        KeyShape(
            "facebook-token",
            "EAA[B-Za-z0-9]{1}[A-Za-z0-9]{96,}",
            source: "Meta, Access tokens for Meta technologies"
        ),
        KeyShape("facebook-token", "EAAAAU[A-Za-z0-9]{90,}", source: "Meta, Access tokens for Meta technologies"),
        KeyShape(
            "facebook-app-token",
            #"[0-9]{13,17}\|[A-Za-z0-9_-]{27}"#,
            beside: "facebook",
            source: "Meta, Access tokens: App access tokens"
        ),
        KeyShape(
            "instagram-token",
            "(IGQV|IGAA|THAA)[A-Za-z0-9_-]{100,}",
            source: "Meta, Instagram API: Access tokens; Threads API"
        ),
        KeyShape(
            "twitter-bearer-token",
            "AAAAAAAAAAAAAAAAAAAA[A-Za-z0-9%]{80,}",
            beside: "bearer",
            source: "X, OAuth 2.0: App only"
        ),
        KeyShape("linkedin-token", "(AQU|AQV|AQW|AQX)[A-Za-z0-9_-]{150,}", source: "LinkedIn, Authorization code flow"),
        KeyShape("linkedin-secret", "WPL_AP1.[A-Za-z0-9]{16}.[A-Za-z0-9+/=]{6,}", source: "LinkedIn, Client secrets"),
        KeyShape("pinterest-token", "pina_[A-Za-z0-9]{60,}", source: "Pinterest, Authentication"),
        KeyShape("twitch-token", "oauth:[a-z0-9]{30}", source: "Twitch, Authenticating with the Twitch IRC server"),
        KeyShape("vk-token", "vk1.a.[A-Za-z0-9_-]{80,}", source: "VK, Access token"),
    ]
}
