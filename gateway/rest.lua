-- The REST format: turns the transcoder's JSON into the documented bodies.
--
-- It is enabled for the REST routes alone, and precedes the transcoder in the
-- filter chain, so that it sees a reply after the transcoder has printed it.
-- A route's metadata name the shape of its replies that are a 200.
-- No JSON parser is needed: the transcoder prints compactly and escapes every
-- quote inside a string, so `,"key":` can only be a key.

-- A member by its name; `?` marks a nullable one.
local function member(name)
  local bare = name:gsub("%?", "")
  return { name = bare, key = ',"' .. bare .. '":', nullable = bare ~= name }
end

local function members(names)
  local list = {}
  for name in names:gmatch("%S+") do
    list[#list + 1] = member(name)
  end
  return list
end

-- The documented members of a call and of its `live`, in the order in which they are printed:
-- render.py takes them from openapi.yaml.
local CALL = members("$CALL")
local LIVE = members("$CALL_LIVE")

local STATUSES = { SCHEDULED = "scheduled", LIVE = "live", ENDED = "ended", ERRORED = "errored" }

-- gRPC's codes, from 1 on.
local CODES = {
  "cancelled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists",
  "permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range",
  "unimplemented", "internal", "unavailable", "data_loss", "unauthenticated",
}

-- The request headers that are passed to the server. It needs no cookies and the like.
local PASSED_ON = {
  [":authority"] = true, [":method"] = true, [":path"] = true, [":scheme"] = true,
  authorization = true, ["grpc-timeout"] = true, traceparent = true, tracestate = true, ["user-agent"] = true,
  ["x-forwarded-for"] = true, ["x-forwarded-proto"] = true, ["x-request-id"] = true,
}

local AWAY = {
  status = "503",
  text = '{"error":"unavailable","message":"The service cannot be reached right now. Try again shortly."}',
}
local FAULT = { status = "500", text = '{"error":"internal","message":"The gateway failed to answer."}' }

-- By its name, as routes have it: makes the documented body of the transcoder's JSON.
local SHAPES = {}

local reply_of, success, failure, complete, worded, closing, etag_of, matches, send, keep

function envoy_on_request(handle)
  local headers = handle:headers()
  local method = headers:get(":method")
  if method ~= "GET" and method ~= "HEAD" then
    handle:respond({ [":status"] = "405", allow = "GET, HEAD" })
  end
  keep(headers, PASSED_ON)
  -- Made printable, as the server requires, so that both log the same id.
  local id = headers:get("x-request-id")
  if id:find("[^!-~]") then
    headers:replace("x-request-id", (id:gsub("[^!-~]", "_")))
  end
  -- A GET's content has no meaning, but the transcoder would read an id from it.
  local content = handle:body()
  if content then
    content:setBytes("")
  end
end

function envoy_on_response(handle)
  local asked = handle:streamInfo():filterState()
  local method, known = asked:get("asked.method"), asked:get("asked.if-none-match") or ""
  if method == "OPTIONS" and handle:headers():get(":status") == "200" then
    return -- a preflight, answered by the cors filter
  end
  local body = handle:body(true)
  local headers = handle:headers() -- not before body(), which yields and so invalidates them
  local shape = handle:metadata():get("shape")
  local well, reply = pcall(reply_of, headers, body:getBytes(0, body:length()), known, shape)
  send(well and reply or FAULT, headers, body, method == "HEAD")
  if not well then
    error(reply) -- Envoy logs and counts it, and sends the reply as set by now
  end
end

-- Returns the reply: a status, and a text and an ETag if they change. Raises an error if it cannot.
function reply_of(headers, text, known, shape)
  local status, code = headers:get(":status"), headers:get("grpc-status")
  if status == "200" then
    return success(text, known, shape)
  elseif text:find('^{"error":') or (text == "" and not code) then
    return { status = status } -- Envoy's own: already as documented, or without a body for a HEAD
  end
  return failure(text, code, status)
end

-- Without a shape the JSON stays as the transcoder printed it.
function success(json, known, shape)
  local text = shape and assert(SHAPES[shape], "no such shape")(json) or json
  local etag = etag_of(text)
  if matches(known, etag) then
    return { status = "304", text = "", etag = etag }
  end
  return { status = "200", text = text, etag = etag }
end

-- The transcoder prints a google.rpc.Status: code, message, details.
function failure(json, code, status)
  local name = assert(CODES[tonumber(json:match('^{"code":(%d+)') or code)], "no gRPC status")
  if name == "cancelled" then
    return AWAY -- its caller has not cancelled: the server did, as it stopped
  end
  local _, before = json:find('^{"code":%d+,"message":')
  local message = '"The request failed."'
  if before then
    local after = json:find(',"details":', before, true) or #json
    message = json:sub(before + 1, after - 1)
  end
  return { status = status, text = '{"error":"' .. name .. '","message":' .. message .. "}" }
end

-- `live` has an `ended_at` of its own, so it is taken out while the row is completed.
function SHAPES.Call(json)
  local before = json:find(',"live":{', 1, true)
  if not before then
    return worded(complete(json, CALL))
  end
  local first, last = before + 8, closing(json, before + 8)
  local row = complete(json:sub(1, first - 1) .. "{}" .. json:sub(last + 1), CALL)
  local _, place = row:find(',"live":{}', 1, true)
  return worded(row:sub(1, place - 2) .. complete(json:sub(first, last), LIVE) .. row:sub(place + 1))
end

-- Puts the members in the documented order, with `null` for one that is missing. The transcoder prints
-- them by field number.
function complete(object, wanted)
  local text = "," .. object:sub(2, -2)
  local found, starts, parts = {}, {}, {}
  for place, each in ipairs(wanted) do
    found[place] = text:find(each.key, 1, true)
    assert(found[place] or each.nullable, each.name .. " is missing")
    starts[#starts + 1] = found[place]
  end
  table.sort(starts)
  local ends = {}
  for number, start in ipairs(starts) do
    ends[start] = (starts[number + 1] or #text + 1) - 1
  end
  for place, each in ipairs(wanted) do
    local start = found[place]
    parts[place] = start and text:sub(start, ends[start]) or each.key .. "null"
  end
  return "{" .. table.concat(parts):sub(2) .. "}"
end

-- Replaces the enum's name by the documented value.
function worded(json)
  local first, last = json:find(',"status":"CALL_STATUS_', 1, true)
  assert(first, "status has no name")
  local name = json:match("^%u+", last + 1)
  local word = assert(STATUSES[name], "no word for status " .. tostring(name))
  return json:sub(1, first - 1) .. ',"status":"' .. word .. json:sub(last + 1 + #name)
end

-- Returns the position of the brace that closes the object at `first`; braces in strings do not count.
function closing(json, first)
  local blank = function(text) return ("_"):rep(#text) end
  local bare = json:sub(first):gsub("\\.", "__"):gsub('"[^"]*"', blank)
  return first - 1 + #bare:match("^%b{}")
end

-- FNV-1a, 64 bits: identifies a body, and is not cryptographic.
function etag_of(text)
  local hash = 0xcbf29ce484222325ULL
  for i = 1, #text do
    hash = bit.bxor(hash, text:byte(i)) * 0x100000001b3ULL
  end
  return '"' .. bit.tohex(hash) .. '"'
end

-- Compares as If-None-Match requires: weakly, against every tag of the list.
function matches(list, etag)
  if list:match("^%s*%*%s*$") then
    return true
  end
  for tag in list:gmatch('"[^"]*"') do
    if tag == etag then
      return true
    end
  end
  return false
end

function send(reply, headers, body, is_head)
  headers:replace(":status", reply.status)
  headers:replace("cache-control", reply.etag and "private, no-cache" or "no-store")
  if reply.etag then
    headers:replace("etag", reply.etag)
  end
  if reply.status == "429" or reply.status == "503" then
    headers:replace("retry-after", "1")
  end
  if reply.text then
    body:setBytes(is_head and "" or reply.text)
    headers:replace("content-type", "application/json")
    headers:replace("content-length", tostring(#reply.text))
  end
  if reply.status == "304" then
    headers:remove("content-type")
    headers:remove("content-length")
  end
end

function keep(headers, wanted)
  local unwanted = {}
  for name in pairs(headers) do
    if not wanted[name] then
      unwanted[#unwanted + 1] = name
    end
  end
  for _, name in ipairs(unwanted) do
    headers:remove(name)
  end
end
