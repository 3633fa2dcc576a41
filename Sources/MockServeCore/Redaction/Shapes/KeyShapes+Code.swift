extension KeyShape {
    /// Hosts of code, building and registries of packages.
    static let code: [KeyShape] = [
        // GitHub. A token for an app may be a JSON web token behind the number of the app.
        KeyShape(
            "github-token",
            "(ghp_|gho_|ghu_|ghs_|ghr_)[A-Za-z0-9]{36}",
            check: .crc32Base62,
            source: "GitHub, Behind GitHub's new authentication token formats"
        ),
        KeyShape("github-token", "ghr_[A-Za-z0-9]{76}", source: "GitHub, Refreshing user access tokens"),
        KeyShape(
            "github-token",
            "(ghs_|ghu_|gho_)[A-Za-z0-9]{1,24}_eyJ[A-Za-z0-9_.-]{60,}",
            source: "GitHub, Generating an installation access token for a GitHub App"
        ),
        KeyShape(
            "github-token",
            "v1.[0-9a-f]{40}",
            source: "GitHub Enterprise Server, Authenticating as an installation"
        ),
        KeyShape(
            "github-fine-grained-token",
            "github_pat_[A-Za-z0-9_]{36,}",
            source: "GitHub, Introducing fine-grained personal access tokens"
        ),
        // GitLab. A routable token has its checksum behind dots; it covers a prefix that an administrator may change.
        KeyShape("gitlab-token", "glpat-[A-Za-z0-9_.-]{20,}", source: "GitLab, Token overview: Token prefixes"),
        KeyShape("gitlab-oauth-secret", "gloas-[A-Za-z0-9_-]{20,}", source: "GitLab, Token overview: Token prefixes"),
        KeyShape("gitlab-deploy-token", "gldt-[A-Za-z0-9_-]{20,}", source: "GitLab, Token overview: Token prefixes"),
        KeyShape(
            "gitlab-runner-token",
            "(glrt-|glrtr-)[A-Za-z0-9_.-]{20,}",
            source: "GitLab, Token overview: Token prefixes"
        ),
        KeyShape(
            "gitlab-runner-token",
            "GR1348941[A-Za-z0-9_-]{20}",
            source: "GitLab, Migrating to the new runner registration workflow"
        ),
        KeyShape("gitlab-job-token", "glcbt-[A-Za-z0-9_.-]{20,}", source: "GitLab, CI/CD job token"),
        KeyShape("gitlab-trigger-token", "glptt-[A-Za-z0-9_-]{20,}", source: "GitLab, Token overview: Token prefixes"),
        KeyShape(
            "gitlab-feed-token",
            "(glft-|glimt-)[A-Za-z0-9_-]{20,}",
            source: "GitLab, Token overview: Token prefixes"
        ),
        KeyShape(
            "gitlab-agent-token",
            "(glagent-|glwt-)[A-Za-z0-9_.-]{20,}",
            source: "GitLab, Token overview: Token prefixes"
        ),
        KeyShape("gitlab-scim-token", "glsoat-[A-Za-z0-9_-]{20,}", source: "GitLab, Token overview: Token prefixes"),
        KeyShape(
            "gitlab-feature-flag-token",
            "glffct-[A-Za-z0-9_-]{20,}",
            source: "GitLab, Token overview: Token prefixes"
        ),
        // Other hosts of code.
        KeyShape(
            "atlassian-token",
            "(ATATT3|ATCTT3|ATSTT3)[A-Za-z0-9_=-]{60,}",
            source: "Atlassian, Manage API tokens for your Atlassian account"
        ),
        KeyShape("bitbucket-app-password", "ATBB[A-Za-z0-9]{32}", source: "Atlassian, Bitbucket Cloud: App passwords"),
        KeyShape("sourcegraph-token", "(sgp_|sgd_|slk_|sgs_)[0-9a-f]{40,64}", source: "Sourcegraph, Access tokens"),
        KeyShape("sourcegraph-token", "sgp_[a-z0-9]{5,16}_[0-9a-f]{40}", source: "Sourcegraph, Access tokens"),
        KeyShape(
            "jetbrains-token",
            "(perm:|perm-)[A-Za-z0-9+/=_-]{2,}.[A-Za-z0-9+/=_-]{2,}.[A-Za-z0-9]{20,}",
            source: "JetBrains, YouTrack: Manage permanent token"
        ),
        KeyShape("gitpod-token", "gitpod_pat_[A-Za-z0-9_.-]{20,}", source: "Gitpod, Access tokens"),
        KeyShape("cursor-key", "(key_|crsr_)[0-9a-f]{64}", source: "Cursor, API keys"),
        KeyShape("amp-token", "sgamp_user_[A-Za-z0-9_]{40,}", source: "Amp, Access tokens"),
        // Registries of packages.
        KeyShape(
            "npm-token",
            "npm_[A-Za-z0-9]{36}",
            check: .crc32Base62,
            source: "GitHub, Announcing npm's new access token format"
        ),
        KeyShape("pypi-token", "pypi-Ag[A-Za-z0-9_-]{70,}", source: "PyPI, API tokens"),
        KeyShape("rubygems-key", "rubygems_[0-9a-f]{48}", source: "RubyGems, API key scopes"),
        KeyShape("crates-token", "cio[A-Za-z0-9]{32}", source: "The Cargo Book, Publishing on crates.io"),
        KeyShape("nuget-key", "oy2[a-z0-9]{43}", source: "NuGet, Scoped API keys"),
        KeyShape(
            "packagist-token",
            "packagist_[a-z]{3}_[0-9a-f]{40,}",
            source: "Private Packagist, API authentication"
        ),
        KeyShape("clojars-token", "CLOJARS_[a-z0-9]{60}", source: "Clojars, Deploy tokens"),
        KeyShape(
            "docker-token",
            "(dckr_pat_|dckr_oat_)[A-Za-z0-9_-]{20,}",
            source: "Docker, Personal and organization access tokens"
        ),
        KeyShape("docker-swarm-token", "SWMTKN-1-[a-z0-9]{50}-[a-z0-9]{25}", source: "Docker, docker swarm join-token"),
        KeyShape("jfrog-key", "AKCp[A-Za-z0-9]{69}", source: "JFrog, API key"),
        KeyShape("jfrog-token", "cmVmdGtu[A-Za-z0-9]{56}", source: "JFrog, Reference tokens"),
        // Building, testing and checking.
        KeyShape(
            "circleci-token",
            "(CCIPAT_|CCIPRJ_)[A-Za-z0-9]{22}_[0-9a-f]{40}",
            source: "CircleCI, Managing API tokens"
        ),
        KeyShape("circleci-token", "[0-9a-f]{40}", beside: "circle", source: "CircleCI, Managing API tokens"),
        KeyShape("circleci-token", "[0-9a-f]{40}", beside: "circleci", source: "CircleCI, Managing API tokens"),
        KeyShape(
            "buildkite-token",
            "(bkua_|bkaa_|bkaj_|bkar_|bkct_|bkpt_|bkrt_)[A-Za-z0-9_.-]{36,}",
            source: "Buildkite, Token security"
        ),
        KeyShape("sonar-token", "(sqp_|squ_|sqa_)[0-9a-f]{40}", source: "SonarQube, Generating and using tokens"),
        KeyShape(
            "snyk-token",
            "(snyk_uat.|snyk_sat.)[a-z0-9]{8}.[A-Za-z0-9_.-]{20,}",
            source: "Snyk, Authentication for API: Personal access tokens"
        ),
        KeyShape("snyk-token", "[0-9a-f-]{36}", beside: "snyk", source: "Snyk, Authentication for API"),
        KeyShape("codecov-token", "[0-9a-f-]{36}", beside: "codecov", source: "Codecov, Adding the Codecov token"),
        KeyShape("stackhawk-key", "hawk.[A-Za-z0-9_-]{20}.[A-Za-z0-9_-]{20}", source: "StackHawk, API authentication"),
        KeyShape("socket-key", "sktsec_[A-Za-z0-9_-]{30,}", source: "Socket, API tokens"),
        KeyShape("checkly-key", "cu_[0-9a-f]{32}", source: "Checkly, Authentication"),
        KeyShape("chromatic-token", "chpt_[a-z0-9]{11,}", source: "Chromatic, Configure: Project token"),
        KeyShape(
            "depot-token",
            "(depot_project_|depot_org_|depot_user_)[0-9a-f]{40,}",
            source: "Depot, Authentication"
        ),
        KeyShape("nx-cloud-token", "nx_cloud_[A-Za-z0-9]{30,}", source: "Nx, CI access tokens"),
        KeyShape(
            "harness-token",
            "(pat.|sat.)[A-Za-z0-9_-]{22}.[0-9a-f]{24}.[A-Za-z0-9]{20}",
            source: "Harness, Manage API keys"
        ),
        KeyShape("octopus-key", "API-[A-Z0-9]{26,32}", source: "Octopus Deploy, How to create an API key"),
        KeyShape(
            "postman-key",
            "PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
            source: "Postman, Generate and manage Postman API keys"
        ),
        KeyShape("postman-collection-key", "PMAT-[A-Z0-9]{26}", source: "Postman, Collection access keys"),
        KeyShape("readme-key", "rdme_[a-z0-9]{40,}", source: "ReadMe, API keys"),
        KeyShape("wakatime-key", "waka_[0-9a-f-]{36}", source: "WakaTime API, Authentication"),
        KeyShape("wakatime-key", "(waka_tok_|waka_sec_)[A-Za-z0-9]{40,}", source: "WakaTime API, Authentication"),
        KeyShape(
            "terraform-token",
            "[A-Za-z0-9]{14}.atlasv1.[A-Za-z0-9_-]{60,}",
            source: "HashiCorp, HCP Terraform: API tokens"
        ),
        KeyShape("pulumi-token", "pul-[0-9a-f]{40}", source: "Pulumi Cloud, Access tokens"),
        KeyShape("infracost-key", "ico-[A-Za-z0-9]{32}", source: "Infracost, API authentication"),
    ]
}
