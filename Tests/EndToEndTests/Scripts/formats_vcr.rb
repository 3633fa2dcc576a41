# The client of formats_languages.py that records with VCR. It reads the steps from its standard input and writes what it saw.
#
# Usage: formats_vcr.rb record|play|plain URL FILE yaml|json plain|exact

require "base64"
require "json"
require "net/http"

mode, base, file, serializer, bodies = ARGV
steps = JSON.parse($stdin.read)
origin = URI(base)

ask = lambda do
  steps.map do |step|
    kind = Net::HTTP.const_get(step["method"].capitalize)
    request = kind.new(step["target"], step["fields"])
    if step["body"]
      # As programs have it: text is text, and only what is none is bytes.
      request.body = Base64.decode64(step["body"]).force_encoding("UTF-8")
      request.body.force_encoding("BINARY") unless request.body.valid_encoding?
    end
    answer = Net::HTTP.start(origin.host, origin.port, nil) { |http| http.request(request) }
    fields = answer.to_hash.flat_map { |name, values| values.map { |value| [name, value] } }
    { status: answer.code, fields: fields, body: Base64.strict_encode64(answer.body || "") }
  end
end

if mode == "plain"
  answers = ask.call
else
  require "vcr"
  require "webmock"
  VCR.configure do |config|
    config.cassette_library_dir = File.dirname(file)
    config.hook_into :webmock
    config.default_cassette_options = {
      record: mode == "record" ? :once : :none,
      serialize_with: serializer.to_sym,
      match_requests_on: %i[method uri body],
      preserve_exact_body_bytes: bodies == "exact",
      allow_unused_http_interactions: mode == "record",
    }
  end
  answers = VCR.use_cassette(File.basename(file, ".*")) { ask.call }
end
puts JSON.generate(answers)
