-- Lets a gRPC call through once its message is there.
--
-- A server waits for the message for as long as the call may last. Callers who never send one would
-- hold, without a token, all the requests that may be under way to the servers.

function envoy_on_request(handle)
  local content = handle:body() -- waits for all of it
  if not content or content:length() == 0 then
    handle:respond({ [":status"] = "400" }, "The call has no message.")
  end
end
