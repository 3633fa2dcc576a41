extension KeyShape {
    /// Models of language, speech and pictures, and what is built around them.
    static let models: [KeyShape] = [
        // Several other services give out keys of the form that OpenAI used first.
        KeyShape(
            "openai-key",
            "sk-[A-Za-z0-9]{32,}",
            source: "OpenAI, API keys; DeepSeek, Your first API call; Moonshot AI, API keys"
        ),
        KeyShape(
            "openai-key",
            "(sk-proj-|sk-svcacct-|sk-admin-|sk-None-)[A-Za-z0-9_-]{40,}",
            source: "OpenAI, API keys; Admin API keys"
        ),
        KeyShape("openai-session-key", "sess-[A-Za-z0-9]{40}", source: "OpenAI, Authentication"),
        KeyShape("openai-ephemeral-key", "ek_[0-9a-f]{32}", source: "OpenAI, Realtime API: Ephemeral tokens"),
        KeyShape(
            "anthropic-key",
            "sk-ant-[A-Za-z0-9_-]{40,}",
            source: "Anthropic, API: Authentication; Admin API; Claude Code, Authentication"
        ),
        KeyShape("huggingface-token", "hf_[A-Za-z0-9]{34}", source: "Hugging Face, User access tokens"),
        KeyShape("huggingface-token", "api_org_[A-Za-z0-9]{34}", source: "Hugging Face, Organization API tokens"),
        KeyShape(
            "huggingface-token",
            "hf_oauth_[A-Za-z0-9_.-]{30,}",
            source: "Hugging Face, Sign in with Hugging Face"
        ),
        KeyShape("groq-key", "gsk_[A-Za-z0-9]{40,}", source: "Groq, Quickstart: API key"),
        KeyShape("replicate-token", "r8_[A-Za-z0-9]{37}", source: "Replicate, API tokens"),
        KeyShape("xai-key", "xai-[A-Za-z0-9]{70,}", source: "xAI, Getting started: API key"),
        KeyShape("xai-management-key", "xai-token-[A-Za-z0-9]{70,}", source: "xAI, Management API"),
        KeyShape("perplexity-key", "pplx-[A-Za-z0-9]{40,}", source: "Perplexity, API key management"),
        KeyShape("openrouter-key", "sk-or-v1-[0-9a-f]{64}", source: "OpenRouter, Authentication"),
        KeyShape("cerebras-key", "csk-[a-z0-9]{40,}", source: "Cerebras, Quickstart: API key"),
        KeyShape("fireworks-key", "(fw_|fpk_)[A-Za-z0-9]{22,24}", source: "Fireworks AI, API keys"),
        KeyShape("together-key", "tgp_v1_[A-Za-z0-9_-]{43}", source: "Together AI, API keys"),
        KeyShape("nvidia-key", "nvapi-[A-Za-z0-9_-]{60,}", source: "NVIDIA, NGC: Generating an API key"),
        KeyShape("jina-key", "jina_[A-Za-z0-9_-]{60}", source: "Jina AI, API dashboard"),
        KeyShape(
            "voyage-key",
            "(pa-|al-)[A-Za-z0-9_-]{43}",
            beside: "voyage",
            source: "Voyage AI, API key and installation"
        ),
        KeyShape("cohere-key", "[A-Za-z0-9]{40}", beside: "cohere", source: "Cohere, API keys and rate limits"),
        KeyShape("mistral-key", "[A-Za-z0-9]{32}", beside: "mistral", source: "Mistral AI, Quickstart: API keys"),
        KeyShape("deepgram-key", "[0-9a-f]{40}", beside: "deepgram", source: "Deepgram, Authenticating"),
        KeyShape("assemblyai-key", "[0-9a-f]{32}", beside: "assembly", source: "AssemblyAI, Authentication"),
        KeyShape("assemblyai-key", "[0-9a-f]{32}", beside: "assemblyai", source: "AssemblyAI, Authentication"),
        KeyShape("elevenlabs-key", "sk_[0-9a-f]{48}", source: "ElevenLabs, API authentication"),
        KeyShape("cartesia-key", "sk_car_[A-Za-z0-9]{20,}", source: "Cartesia, API keys"),
        KeyShape("murf-key", "ap2_[0-9a-f-]{36}", source: "Murf, API authentication"),
        KeyShape("runway-key", "key_[0-9a-f]{128}", source: "Runway, API setup"),
        KeyShape("luma-key", "luma-[0-9a-f-]{36,}", source: "Luma, Dream Machine API: Authentication"),
        KeyShape("fal-key", "[0-9a-f-]{36}:[0-9a-f]{32}", beside: "fal", source: "fal, Key-based authentication"),
        KeyShape("wandb-key", "wandb_v1_[A-Za-z0-9_]{60,}", source: "Weights & Biases, Find your API key"),
        KeyShape("wandb-key", "[0-9a-f]{40}", beside: "wandb", source: "Weights & Biases, Find your API key"),
        KeyShape(
            "langsmith-key",
            "(lsv2_pt_|lsv2_sk_)[0-9a-f]{32}_[0-9a-f]{10}",
            source: "LangSmith, Create an account and API key"
        ),
        KeyShape("langfuse-key", "sk-lf-[0-9a-f-]{36}", source: "Langfuse, API keys"),
        KeyShape("helicone-key", "sk-helicone-[a-z0-9-]{25,}", source: "Helicone, API keys"),
        KeyShape("llamacloud-key", "llx-[A-Za-z0-9]{40,}", source: "LlamaIndex, LlamaCloud: API keys"),
        KeyShape("letta-key", "sk-let-[A-Za-z0-9+/=]{40,}", source: "Letta, API keys"),
        KeyShape("mem0-key", "m0-[A-Za-z0-9]{40}", source: "Mem0, Platform quickstart"),
        KeyShape("context7-key", "ctx7sk-[0-9a-f-]{36}", source: "Upstash, Context7: API keys"),
        KeyShape("pinecone-key", "pcsk_[A-Za-z0-9_]{60,}", source: "Pinecone, Manage API keys"),
        KeyShape("pinecone-key", "[0-9a-f-]{36}", beside: "pinecone", source: "Pinecone, Manage API keys"),
        KeyShape("tavily-key", "tvly-[A-Za-z0-9]{32}", source: "Tavily, API: Authentication"),
        KeyShape("tavily-key", "tvly-(dev|prod)-[A-Za-z0-9]{32}", source: "Tavily, API: Authentication"),
        KeyShape("firecrawl-key", "fc-[0-9a-f]{32}", source: "Firecrawl, API: Authentication"),
        KeyShape("brave-search-key", "BSA[A-Za-z0-9_-]{28}", source: "Brave Search API, Authentication"),
        KeyShape("browserbase-key", "bb_live_[A-Za-z0-9_-]{27}", source: "Browserbase, API keys"),
        KeyShape("e2b-key", "e2b_[0-9a-f]{40}", source: "E2B, API key"),
        KeyShape("daytona-key", "dtn_[0-9a-f]{64}", source: "Daytona, API keys"),
        KeyShape("runpod-key", "rpa_[A-Z0-9]{40,}", source: "Runpod, Manage API keys"),
        KeyShape("anyscale-key", "esecret_[A-Za-z0-9]{26}", source: "Anyscale, API keys"),
        KeyShape("friendli-token", "flp_[A-Za-z0-9]{40,}", source: "FriendliAI, Personal access tokens"),
        KeyShape("modelscope-token", "ms-[0-9a-f-]{36}", source: "ModelScope, Access tokens"),
        KeyShape("coze-token", "(pat_|sat_)[A-Za-z0-9]{64}", source: "Coze, Authentication: Personal access tokens"),
        KeyShape(
            "databricks-token",
            "(dapi|dkea|dose)[0-9a-f]{32}",
            source: "Databricks, Authenticate with access tokens"
        ),
        KeyShape("retell-key", "key_[0-9a-f]{28}", source: "Retell AI, API authentication"),
    ]
}
