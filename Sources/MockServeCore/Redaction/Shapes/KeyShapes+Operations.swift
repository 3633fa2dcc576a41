extension KeyShape {
    /// Monitoring, data, identity and machines.
    static let operations: [KeyShape] = [
        // Monitoring.
        KeyShape("datadog-key", "[0-9a-f]{32}", beside: "datadog", source: "Datadog, API and application keys"),
        KeyShape("datadog-key", "[0-9a-f]{32}", beside: "dd", source: "Datadog, API and application keys"),
        KeyShape("datadog-key", "[0-9a-f]{40}", beside: "datadog", source: "Datadog, API and application keys"),
        KeyShape("datadog-key", "[0-9a-f]{40}", beside: "dd", source: "Datadog, API and application keys"),
        KeyShape("datadog-app-key", "(ddapp_|ddpat_)[A-Za-z0-9]{34,}", source: "Datadog, API and application keys"),
        KeyShape("newrelic-key", "(NRAK-|NRAA-|NRIQ-)[A-Za-z0-9]{27,32}", source: "New Relic, API keys"),
        KeyShape(
            "newrelic-key",
            "(NRII-|NRRA-)[A-Za-z0-9_-]{32,42}",
            source: "New Relic, API keys: Insights insert keys and REST API keys"
        ),
        KeyShape("newrelic-license-key", "[0-9a-f]{36}NRAL", source: "New Relic, License keys"),
        KeyShape(
            "newrelic-license-key",
            "(eu01xx|ap01xx|gov01xx)[0-9a-f]{29,30}NRAL",
            source: "New Relic, License keys"
        ),
        KeyShape(
            "grafana-token",
            "glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}",
            check: .crc32HexField,
            source: "Grafana, Service accounts"
        ),
        KeyShape("grafana-token", "glc_eyJ[A-Za-z0-9+/=_-]{40,}", source: "Grafana Cloud, Access policies"),
        KeyShape("grafana-key", "eyJrIjoi[A-Za-z0-9+/=]{40,}", source: "Grafana, Authentication API: API keys"),
        KeyShape(
            "sentry-token",
            "sntrys_eyJ[A-Za-z0-9+/=_-]{60,}",
            source: "Sentry, RFC 91: CI upload tokens; Organization tokens"
        ),
        KeyShape("sentry-token", "(sntryu_|sntrya_|sntryi_|sntryr_)[0-9a-f]{64}", source: "Sentry, Auth tokens"),
        KeyShape(
            "dynatrace-token",
            "(dt0c01.|dt0s01.|dt0s02.|dt0s03.|dt0s08.|dt0s16.)[A-Z0-9]{8,24}.[A-Z0-9]{64}",
            source: "Dynatrace, Access tokens: Token format"
        ),
        KeyShape("honeycomb-key", "hc[a-z]{1}ik_[a-z0-9]{50,}", source: "Honeycomb, API keys"),
        KeyShape("honeycomb-key", "hc[a-z]{1}(mk_|lk_)[a-z0-9]{26,}", source: "Honeycomb, API key format"),
        KeyShape(
            "posthog-key",
            "(phx_|phs_|pha_|phr_)[A-Za-z0-9]{40,}",
            source: "PostHog, Personal API keys; Feature flags secure API keys"
        ),
        KeyShape("honeybadger-token", "(hbp_|hbc_)[A-Za-z0-9]{30,}", source: "Honeybadger, Authentication"),
        KeyShape("coralogix-key", "(cxtp_|cxup_|cxth_)[A-Za-z0-9]{30}", source: "Coralogix, API keys"),
        KeyShape("axiom-token", "(xaat-|xapt-)[0-9a-f-]{36}", source: "Axiom, Tokens"),
        KeyShape("elastic-cloud-key", "essu_[A-Za-z0-9+/=_-]{60,}", source: "Elastic Cloud, API keys"),
        KeyShape("pagerduty-token", "[A-Za-z0-9_+-]{20}", beside: "pagerduty", source: "PagerDuty, API access keys"),
        KeyShape(
            "opsgenie-key",
            "[0-9a-f-]{36}",
            beside: "opsgenie",
            source: "Atlassian, Opsgenie: API key management"
        ),
        KeyShape("rootly-key", "rootly_[0-9a-f]{64}", source: "Rootly, API authentication"),
        KeyShape("firehydrant-token", "fhb-[0-9a-f]{32}", source: "FireHydrant, API keys"),
        KeyShape(
            "splunk-token",
            "[0-9a-f-]{36}",
            beside: "splunk",
            source: "Splunk, Set up and use HTTP event collector"
        ),
        KeyShape("rollbar-token", "[0-9a-f]{32}", beside: "rollbar", source: "Rollbar, Project access tokens"),
        // Data.
        KeyShape(
            "planetscale-token",
            "(pscale_tkn_|pscale_pw_|pscale_oauth_|pscale_api_)[A-Za-z0-9_.-]{32,}",
            source: "PlanetScale, Service tokens; Connection strings"
        ),
        KeyShape("neon-key", "napi_[a-z0-9]{50,}", source: "Neon, Manage API keys"),
        KeyShape("supabase-token", "sbp_[0-9a-f]{40}", source: "Supabase, Management API: Authentication"),
        KeyShape("supabase-token", "sbp_oauth_[0-9a-f]{40}", source: "Supabase, Management API: Authentication"),
        KeyShape(
            "supabase-secret-key",
            "sb_secret_[A-Za-z0-9_-]{22}_[A-Za-z0-9]{8}",
            source: "Supabase, Understanding API keys"
        ),
        KeyShape("aiven-password", "AVNS_[A-Za-z0-9_-]{19}", source: "Aiven, Service user credentials"),
        KeyShape(
            "cockroach-key",
            "CCDB1_[A-Za-z0-9]{22}_[A-Za-z0-9]{40}",
            source: "CockroachDB Cloud, API: Call the API"
        ),
        KeyShape("crunchy-bridge-key", "cbkey_[A-Za-z0-9]{30,}", source: "Crunchy Bridge, API keys"),
        KeyShape("xata-key", "xau_[A-Za-z0-9]{36,}", source: "Xata, API keys"),
        KeyShape("mongodb-atlas-secret", "mdb_sa_sk_[A-Za-z0-9_-]{40}", source: "MongoDB Atlas, Service accounts"),
        KeyShape("clickhouse-cloud-secret", "4b1d[A-Za-z0-9]{38}", source: "ClickHouse Cloud, Managing API keys"),
        KeyShape("confluent-secret", "cflt[A-Za-z0-9+/]{60}", source: "Confluent Cloud, API keys: Format"),
        KeyShape("materialize-password", "mzp_[0-9a-f]{64}", source: "Materialize, App passwords"),
        KeyShape("dbt-token", "(dbtc_|dbtu_)[A-Za-z0-9_-]{30,}", source: "dbt, Personal access tokens; Service tokens"),
        KeyShape("prefect-key", "(pnu_|pnb_)[A-Za-z0-9]{36}", source: "Prefect Cloud, Manage API keys"),
        KeyShape("metabase-key", "mb_[A-Za-z0-9+/]{43}=", source: "Metabase, API keys"),
        KeyShape("retool-token", "retool_[a-z0-9]{24,}", source: "Retool, API authentication"),
        // Identity and secrets.
        KeyShape(
            "vault-token",
            "(hvs.|hvb.|hvr.)[A-Za-z0-9_-]{24,}",
            source: "HashiCorp Vault, Tokens: Token prefixes"
        ),
        KeyShape("vault-token", "s.[A-Za-z0-9]{24}", beside: "vault", source: "HashiCorp Vault, Tokens"),
        KeyShape(
            "doppler-token",
            "(dp.pt.|dp.ct.|dp.sa.|dp.st.|dp.scim.|dp.audit.|dp.said.)[A-Za-z0-9]{40,44}",
            source: "Doppler, Token formats"
        ),
        KeyShape(
            "doppler-token",
            "dp.st.[a-z0-9_-]{2,35}.[A-Za-z0-9]{40,44}",
            source: "Doppler, Token formats: Service tokens"
        ),
        KeyShape("infisical-token", "st.[0-9a-f]{24}.[0-9a-f]{32}.[0-9a-f]{32}", source: "Infisical, Service tokens"),
        KeyShape("onepassword-token", "ops_eyJ[A-Za-z0-9+/=_-]{100,}", source: "1Password, Service accounts"),
        KeyShape(
            "onepassword-secret-key",
            "A3-[A-Z0-9]{6}-[A-Z0-9]{6}-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
            source: "1Password, About your Secret Key"
        ),
        KeyShape(
            "bitwarden-token",
            "0.[0-9a-f-]{36}.[A-Za-z0-9]{30}:[A-Za-z0-9+/]{22}==",
            beside: "bws",
            source: "Bitwarden, Secrets Manager: Access tokens"
        ),
        KeyShape(
            "bitwarden-token",
            "0.[0-9a-f-]{36}.[A-Za-z0-9]{30}:[A-Za-z0-9+/]{22}==",
            beside: "bitwarden",
            source: "Bitwarden, Secrets Manager: Access tokens"
        ),
        KeyShape(
            "age-secret-key",
            "AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}",
            check: .bech32,
            source: "age, The age file encryption format: X25519 identities"
        ),
        KeyShape("age-secret-key", "AGE-SECRET-KEY-PQ-1[02-9AC-HJ-NP-Z]{50,}", source: "age, Post-quantum identities"),
        KeyShape("okta-token", "00[A-Za-z0-9_-]{40}", beside: "okta", source: "Okta, Create an API token"),
        KeyShape(
            "ory-token",
            "(ory_at_|ory_rt_|ory_ac_|ory_pat_|ory_st_|ory_lo_|ory_apikey_)[A-Za-z0-9_.-]{32,}",
            source: "Ory, Token formats; API keys"
        ),
        KeyShape(
            "stytch-secret",
            "(secret-live-|secret-test-)[A-Za-z0-9_-]{30,}=",
            source: "Stytch, API reference: Authentication"
        ),
        KeyShape("permit-key", "permit_key_[A-Za-z0-9]{60,}", source: "Permit.io, API keys"),
        KeyShape(
            "tailscale-key",
            "tskey-[a-z]{2,16}-[A-Za-z0-9]{8,}-[A-Za-z0-9]{16,}",
            source: "Tailscale, Key prefixes"
        ),
        KeyShape("tailscale-key", "tskey-[A-Za-z0-9]{8,}-[A-Za-z0-9]{16,}", source: "Tailscale, Key prefixes"),
        KeyShape(
            "netbird-token",
            "nbp_[A-Za-z0-9]{36}",
            check: .crc32Base62,
            source: "NetBird, Public API: Personal access tokens"
        ),
        KeyShape(
            "paseto",
            "(v1.|v2.|v3.|v4.)(local|public).[A-Za-z0-9_-]{40,}",
            source: "PASETO, Specification: Message format"
        ),
        KeyShape("secret-token", "secret-token:[A-Za-z0-9._~%+:=@-]{8,}", source: "RFC 8959 §2"),
        // Switches, machines and networks.
        KeyShape("launchdarkly-key", "(sdk-|api-)[0-9a-f-]{36}", source: "LaunchDarkly, SDK keys; API access tokens"),
        KeyShape("statsig-key", "(secret-|console-)[A-Za-z0-9]{43}", source: "Statsig, API keys"),
        KeyShape("flagsmith-key", "ser.[A-Za-z0-9]{22}", source: "Flagsmith, Server-side environment keys"),
        KeyShape(
            "growthbook-key",
            "(secret_user_|secret_admin_|secret_readonly_)[A-Za-z0-9]{30,}",
            source: "GrowthBook, API authentication"
        ),
        KeyShape("devcycle-key", "dvc_server_[a-z0-9_]{32,}", source: "DevCycle, SDK keys"),
        KeyShape(
            "trigger-dev-key",
            "(tr_dev_|tr_prod_|tr_stg_|tr_pat_)[A-Za-z0-9]{20,}",
            source: "Trigger.dev, API keys"
        ),
        KeyShape("rancher-token", "token-[a-z0-9]{5}:[a-z0-9]{54}", source: "Rancher, API keys"),
        KeyShape("k3s-token", "K10[0-9a-f]{64}::(server|node):[0-9a-f]{32,}", source: "K3s, Token formats"),
        KeyShape("portainer-token", "ptr_[A-Za-z0-9+/]{43}=", source: "Portainer, API access"),
        KeyShape(
            "proxmox-token",
            "PVEAPIToken=[A-Za-z0-9._-]{1,}@[A-Za-z0-9._-]{1,}![A-Za-z0-9._-]{1,}=[0-9a-f-]{36}",
            source: "Proxmox VE, API tokens"
        ),
        KeyShape("netbox-token", "nbt_[A-Za-z0-9]{12}.[A-Za-z0-9]{40}", source: "NetBox, REST API: Tokens"),
        KeyShape("ntfy-token", "tk_[a-z0-9]{29}", source: "ntfy, Access tokens"),
    ]
}
