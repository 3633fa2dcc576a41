-- What wrk sends: PATTERN is a path in which %d becomes a number from 0 to COUNT - 1; with POST=1 to that path a JSON body that
-- mockserve-bench has generated. SEED makes every run another one.
local pattern = os.getenv("PATTERN") or "/items/%d"
local count = tonumber(os.getenv("COUNT") or "1")
math.randomseed(tonumber(os.getenv("SEED") or "1"))

local host = "Host: 127.0.0.1\r\n"

local function get()
  return "GET " .. string.gsub(pattern, "%%d", math.random(0, count - 1)) .. " HTTP/1.1\r\n" .. host .. "\r\n"
end

-- The body of `mockserve-bench generate --print-body`.
local members = ""
for index = 0, 23 do
  members = members .. ',"member' .. index .. '":"value ' .. index .. ' of some length"'
end
local padding = string.rep("x", 1024)

local function post()
  local body = '{"id":' .. math.random(0, count - 1) .. members
  local room = 1024 - #body - 11
  body = body .. ',"padding":"' .. string.sub(padding, 1, room - 3) .. '"}'
  return "POST " .. pattern .. " HTTP/1.1\r\n" .. host .. "Content-Type: application/json\r\nContent-Length: "
    .. #body .. "\r\n\r\n" .. body
end

request = os.getenv("POST") and post or get
