extension KeyShape {
    /// Clouds and hosting.
    static let cloud: [KeyShape] = [
        // Amazon. Key identifiers are in base32: no 0, 1, 8 or 9.
        KeyShape("aws-access-key", "(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}", source: "AWS IAM, Unique identifiers"),
        KeyShape("aws-secret-key", "[A-Za-z0-9+/]{40}", beside: "aws", source: "AWS IAM, Manage access keys"),
        // What follows is base64 of `BedrockAPIKey-` and of `bedrock.amazonaws.com`.
        KeyShape("aws-bedrock-key", "ABSKQmVkcm9ja0FQSUtleS[A-Za-z0-9+/=]{80,}", source: "Amazon Bedrock, API keys"),
        KeyShape(
            "aws-bedrock-key",
            "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[A-Za-z0-9+/=]{80,}",
            source: "Amazon Bedrock, API keys"
        ),
        KeyShape("amazon-login-secret", "amzn1.oa2-cs.v1.[0-9a-f]{64}", source: "Login with Amazon, Register"),
        KeyShape(
            "amazon-login-token",
            #"(Atza|Atzr)\|[A-Za-z0-9_-]{100,}"#,
            source: "Login with Amazon, Access and refresh tokens"
        ),
        // Google.
        KeyShape("google-api-key", "AIza[A-Za-z0-9_-]{35}", source: "Google Cloud, Manage API keys"),
        KeyShape(
            "google-api-key",
            "AQ.Ab8[A-Za-z0-9_-]{40,}",
            source: "Google Cloud, Vertex AI express mode: API keys"
        ),
        KeyShape("google-oauth-token", "ya29.[A-Za-z0-9_.-]{20,}", source: "Google Identity, OAuth 2.0"),
        KeyShape(
            "google-refresh-token",
            "1//0[A-Za-z0-9_-]{40,}",
            source: "Google Identity, OAuth 2.0: Refresh tokens"
        ),
        KeyShape("google-authorization-code", "4/0A[A-Za-z0-9_-]{50,}", source: "Google Identity, OAuth 2.0"),
        KeyShape("google-client-secret", "GOCSPX-[A-Za-z0-9_-]{28}", source: "Google Cloud, Manage OAuth clients"),
        KeyShape("google-storage-key", "GOOG1E[A-Z0-9]{55}", source: "Google Cloud Storage, HMAC keys"),
        KeyShape(
            "firebase-server-key",
            "AAAA[A-Za-z0-9_-]{7}:APA91b[A-Za-z0-9_-]{134}",
            source: "Firebase, Authorize legacy protocol send requests"
        ),
        // Microsoft. Signatures stand at fixed places of a key.
        KeyShape(
            "azure-client-secret",
            "[A-Za-z0-9_~.-]{3}[0-9]{1}Q~[A-Za-z0-9_~.-]{31,34}",
            source: "Microsoft Entra, Add and manage app credentials"
        ),
        KeyShape(
            "azure-devops-token",
            "[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
            source: "Azure DevOps, Personal access tokens"
        ),
        KeyShape(
            "azure-devops-token",
            "[a-z2-7]{52}",
            beside: "devops",
            source: "Azure DevOps, Personal access tokens"
        ),
        KeyShape("azure-devops-token", "[a-z2-7]{52}", beside: "azure", source: "Azure DevOps, Personal access tokens"),
        KeyShape(
            "azure-key",
            "[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}",
            source: "Azure AI services, Authenticate requests"
        ),
        KeyShape(
            "azure-key",
            "[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9+/]{28}==",
            source: "Azure AI services, Authenticate requests"
        ),
        KeyShape(
            "azure-key",
            "[A-Za-z0-9+/]{76}(APIM|ACDb|+ABa|+AMC|+ASt)[A-Za-z0-9+/]{5}[AQgw]{1}==",
            source: "Azure Storage, Manage account access keys"
        ),
        KeyShape(
            "azure-key",
            "[A-Za-z0-9+/]{33}(AIoT|AZEG|+ASb|+AEh|+ARm)[A-P]{1}[A-Za-z0-9+/]{5}=",
            source: "Azure Event Hubs, Shared access keys"
        ),
        KeyShape("azure-cache-key", "[A-Za-z0-9]{33}AzCa[A-P]{1}[A-Za-z0-9]{5}=", source: "Azure Cache, Access keys"),
        KeyShape(
            "azure-search-key",
            "[A-Za-z0-9]{42}AzSe[A-D]{1}[A-Za-z0-9]{5}",
            source: "Azure AI Search, Use API keys"
        ),
        KeyShape(
            "azure-registry-key",
            "[A-Za-z0-9+/]{42}+ACR[A-D]{1}[A-Za-z0-9+/]{5}",
            source: "Azure Container Registry, Tokens and passwords"
        ),
        KeyShape(
            "azure-functions-key",
            "[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{5}[AQgw]{1}==",
            source: "Azure Functions, Work with access keys"
        ),
        KeyShape("azure-storage-key", "AccountKey=[A-Za-z0-9+/]{86}==", source: "Azure Storage, Connection strings"),
        KeyShape(
            "azure-shared-access-key",
            "SharedAccessKey=[A-Za-z0-9+/]{43}=",
            source: "Azure Service Bus, Access control"
        ),
        KeyShape(
            "azure-subscription-key",
            "[0-9a-f]{32}",
            beside: "azure",
            source: "Azure AI services, Authentication"
        ),
        // Other clouds.
        KeyShape("alibaba-access-key", "LTAI[A-Za-z0-9]{12,26}", source: "Alibaba Cloud, Create an AccessKey pair"),
        KeyShape("alibaba-sts-key", "STS.N[A-Za-z0-9]{24}", source: "Alibaba Cloud STS, AssumeRole"),
        KeyShape("tencent-secret-id", "AKID[A-Za-z0-9]{32}", source: "Tencent Cloud, Access key"),
        KeyShape("tencent-secret-id", "AKID[A-Za-z0-9_-]{60,}", source: "Tencent Cloud STS, GetFederationToken"),
        KeyShape("volcengine-access-key", "AKLT[A-Za-z0-9+/=]{40,}", source: "Volcengine, API access keys"),
        KeyShape("baidu-cloud-key", "bce-v3/ALTAK-[A-Za-z0-9]{21}/[0-9a-f]{40}", source: "Baidu AI Cloud, API keys"),
        KeyShape("yandex-iam-token", "t1.[A-Za-z0-9_=-]{30,}.[A-Za-z0-9_-]{86}", source: "Yandex Cloud, IAM token"),
        KeyShape("yandex-api-key", "AQVN[A-Za-z0-9_-]{35,38}", source: "Yandex Cloud, API key"),
        KeyShape("yandex-oauth-token", "(y0_|y1_|y2_|y3_)[A-Za-z0-9_-]{55,}", source: "Yandex Cloud, OAuth token"),
        KeyShape("yandex-storage-key", "YCAJE[A-Za-z0-9_-]{20}", source: "Yandex Cloud, Static access keys"),
        KeyShape(
            "digitalocean-token",
            "(dop_v1_|doo_v1_|dor_v1_)[0-9a-f]{64}",
            source: "DigitalOcean, Personal access tokens"
        ),
        KeyShape("digitalocean-spaces-key", "DO00[A-Z0-9]{16}", source: "DigitalOcean, Spaces access keys"),
        KeyShape("digitalocean-model-key", "sk-do-[A-Za-z0-9_-]{40,}", source: "DigitalOcean, Model access keys"),
        KeyShape("hetzner-token", "[A-Za-z0-9]{64}", beside: "hcloud", source: "Hetzner Cloud API, Authentication"),
        KeyShape("hetzner-token", "[A-Za-z0-9]{64}", beside: "hetzner", source: "Hetzner Cloud API, Authentication"),
        KeyShape("linode-token", "[0-9a-f]{64}", beside: "linode", source: "Akamai, Linode API: Access tokens"),
        KeyShape("scaleway-access-key", "SCW[A-Z0-9]{17}", source: "Scaleway, How to create API keys"),
        KeyShape("exoscale-key", "EXO[0-9a-f]{24,}", source: "Exoscale, IAM API keys"),
        KeyShape("upcloud-token", "ucat_[A-Z0-9]{26}", source: "UpCloud API, Authentication: API tokens"),
        KeyShape("akamai-token", "akab-[a-z0-9]{16}-[a-z0-9]{16}", source: "Akamai, Authenticate with EdgeGrid"),
        KeyShape("backblaze-key", "K00[0-9]{1}[A-Za-z0-9+/]{27}", source: "Backblaze B2, Application keys"),
        KeyShape("fly-token", "(fm1r_|fm1a_|fm2_)[A-Za-z0-9+/=_-]{60,}", source: "Fly.io, Access tokens"),
        KeyShape("fly-token", "fo1_[A-Za-z0-9_-]{43}", source: "Fly.io, Access tokens"),
        KeyShape("cloudflare-token", "(cfk_|cfut_|cfat_)[A-Za-z0-9]{46,}", source: "Cloudflare, Token formats"),
        KeyShape("cloudflare-token", "[A-Za-z0-9_-]{40}", beside: "cloudflare", source: "Cloudflare, Create API token"),
        KeyShape("cloudflare-token", "[A-Za-z0-9_-]{40}", beside: "cf", source: "Cloudflare, Create API token"),
        KeyShape("cloudflare-token", "[0-9a-f]{37}", beside: "cloudflare", source: "Cloudflare, Get Global API key"),
        KeyShape("cloudflare-origin-key", "v1.0-[0-9a-f]{24}-[0-9a-f]{146}", source: "Cloudflare, Origin CA keys"),
        KeyShape("cloudflare-tunnel-token", "eyJhIjoi[A-Za-z0-9+/=_-]{100,}", source: "Cloudflare, Tunnel tokens"),
        // A site key, which is public, is 24 characters long.
        KeyShape("cloudflare-turnstile-secret", "0x4AAAAAAA[A-Za-z0-9_-]{25}", source: "Cloudflare, Turnstile"),
        KeyShape("heroku-key", "HRKU-[A-Za-z0-9_-]{36,}", source: "Heroku, Platform API: OAuth token format"),
        KeyShape("heroku-key", "[0-9a-f-]{36}", beside: "heroku", source: "Heroku, Platform API: Authentication"),
        KeyShape("netlify-token", "(nfp_|nfo_|nfc_|nfu_|nfb_)[A-Za-z0-9]{36,}", source: "Netlify, New token format"),
        KeyShape("vercel-token", "(vcp_|vci_|vca_|vcr_|vck_)[A-Za-z0-9]{24,}", source: "Vercel, New token formats"),
        KeyShape("vercel-token", "[A-Za-z0-9]{24}", beside: "vercel", source: "Vercel, Access tokens"),
        KeyShape("vercel-blob-token", "vercel_blob_rw_[A-Za-z0-9]{16}_[A-Za-z0-9]{24,}", source: "Vercel Blob, Tokens"),
        KeyShape("render-key", "rnd_[A-Za-z0-9]{28,}", source: "Render, The Render API: Create an API key"),
        KeyShape("railway-token", "[0-9a-f-]{36}", beside: "railway", source: "Railway, Public API: Creating a token"),
        KeyShape("deno-deploy-token", "(ddp_|ddo_)[A-Za-z0-9]{36}", source: "Deno Deploy, API: Authentication"),
        KeyShape("fastly-token", "[A-Za-z0-9_-]{32}", beside: "fastly", source: "Fastly, API tokens"),
        KeyShape("appwrite-key", "standard_[0-9a-f]{256}", source: "Appwrite, API keys"),
        KeyShape("openshift-token", "sha256~[A-Za-z0-9_-]{43}", source: "Red Hat OpenShift, OAuth tokens"),
        KeyShape(
            "ngrok-token",
            "[0-9]{1}[A-Za-z0-9]{26}_[A-Za-z0-9]{20,}",
            beside: "ngrok",
            source: "ngrok, Authtokens"
        ),
    ]
}
