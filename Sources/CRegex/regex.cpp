#include "CRegex.h"

#include <cstdlib>
#include <cstring>
#if __has_include(<re2/re2.h>)
#include <re2/re2.h>
#else
#error "RE2 is missing: install libre2-dev (Debian, Ubuntu) or re2 (Homebrew)"
#endif
#include <string>
#include <vector>

struct mockserve_regex {
    RE2 expression;
    std::string replacement;
    int groups;

    mockserve_regex(const re2::StringPiece &pattern, const RE2::Options &options, std::string text)
        : expression(pattern, options), replacement(std::move(text)), groups(1 + RE2::MaxSubmatch(replacement)) {}
};

static void say(const std::string &reason, char *error, size_t size) {
    if (size == 0) return;
    const size_t count = reason.size() < size - 1 ? reason.size() : size - 1;
    std::memcpy(error, reason.data(), count);
    error[count] = 0;
}

mockserve_regex *mockserve_regex_make(const char *pattern, size_t pattern_count, const char *replacement,
                                      size_t replacement_count, char *error, size_t error_size) {
    RE2::Options options;
    options.set_encoding(RE2::Options::EncodingLatin1);
    options.set_log_errors(false);
    options.set_max_mem(4 << 20);
    auto *regex = new mockserve_regex(re2::StringPiece(pattern, pattern_count), options,
                                      std::string(replacement, replacement_count));
    std::string reason;
    if (!regex->expression.ok()) {
        say(regex->expression.error(), error, error_size);
    } else if (!regex->expression.CheckRewriteString(regex->replacement, &reason)) {
        say(reason, error, error_size);
    } else {
        return regex;
    }
    delete regex;
    return nullptr;
}

int mockserve_regex_replace(const mockserve_regex *regex, const uint8_t *text, size_t count, size_t limit,
                            uint8_t **output, size_t *output_count) {
    const re2::StringPiece whole(reinterpret_cast<const char *>(text), count);
    std::vector<re2::StringPiece> groups(regex->groups);
    std::string result;
    size_t position = 0;
    size_t copied = 0;
    while (position <= count && result.size() <= limit &&
           regex->expression.Match(whole, position, count, RE2::UNANCHORED, groups.data(), regex->groups)) {
        const size_t start = groups[0].data() - whole.data();
        const size_t end = start + groups[0].size();
        result.append(whole.data() + copied, start - copied);
        copied = end;
        regex->expression.Rewrite(&result, regex->replacement, groups.data(), regex->groups);
        // An empty match must not be found again.
        position = end > start ? end : end + 1;
    }
    result.append(whole.data() + copied, count - copied);
    if (result.size() > limit) return 0;
    *output = static_cast<uint8_t *>(std::malloc(result.size() + 1));
    if (*output == nullptr) return 0;
    std::memcpy(*output, result.data(), result.size());
    *output_count = result.size();
    return 1;
}

mockserve_regex *mockserve_regex_make_finder(const char *pattern, size_t pattern_count, int64_t memory, char *error,
                                             size_t error_size) {
    RE2::Options options;
    options.set_encoding(RE2::Options::EncodingLatin1);
    options.set_log_errors(false);
    options.set_max_mem(memory);
    auto *regex = new mockserve_regex(re2::StringPiece(pattern, pattern_count), options, std::string());
    if (regex->expression.ok()) {
        regex->groups = 1 + regex->expression.NumberOfCapturingGroups();
        return regex;
    }
    say(regex->expression.error(), error, error_size);
    delete regex;
    return nullptr;
}

int mockserve_regex_find(const mockserve_regex *regex, const uint8_t *text, size_t count, size_t from,
                         mockserve_match *match) {
    const re2::StringPiece whole(reinterpret_cast<const char *>(text), count);
    re2::StringPiece found;
    // Finding only the bounds is much faster than finding the groups, and usually there is no match.
    if (!regex->expression.Match(whole, from, count, RE2::UNANCHORED, &found, 1)) return 0;
    match->start = found.data() - whole.data();
    match->end = match->start + found.size();
    match->group = 0;
    match->group_start = match->start;
    match->group_end = match->end;
    std::vector<re2::StringPiece> groups(regex->groups);
    if (!regex->expression.Match(whole, match->start, match->end, RE2::ANCHOR_BOTH, groups.data(), regex->groups)) return 1;
    for (int group = 1; group < regex->groups; group++) {
        if (groups[group].data() == nullptr) continue;
        match->group = group;
        match->group_start = groups[group].data() - whole.data();
        match->group_end = match->group_start + groups[group].size();
        break;
    }
    return 1;
}

void mockserve_regex_free_text(uint8_t *text) { std::free(text); }

void mockserve_regex_free(mockserve_regex *regex) { delete regex; }
