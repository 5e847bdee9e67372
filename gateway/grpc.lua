-- Passes a gRPC call on once its one message is complete.
--
-- A server waits for the rest of a message for as long as the call may last, even if its caller has
-- ended the stream. Callers who never send it could use up, without a token, the requests allowed
-- under way to the servers. It follows the grpc_web filter, so that gRPC-Web is framed as gRPC by now.

local PREFIX_BYTES = 5

local function is_one_message(content)
  local length = content and content:length() or 0
  if length < PREFIX_BYTES then
    return false
  end
  local flag, a, b, c, d = content:getBytes(0, PREFIX_BYTES):byte(1, PREFIX_BYTES)
  return flag <= 1 and length - PREFIX_BYTES == ((a * 256 + b) * 256 + c) * 256 + d
end

function envoy_on_request(handle)
  -- Made printable, as the server requires, so that both log the same id.
  local headers = handle:headers()
  local id = headers:get("x-request-id")
  if id:find("[^!-~]") then
    headers:replace("x-request-id", (id:gsub("[^!-~]", "_")))
  end
  if not is_one_message(handle:body()) then -- body() waits for all of it
    handle:respond({ [":status"] = "400" }, "The call must have one whole message.")
  end
end
