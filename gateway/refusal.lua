-- Rejects by an HTTP status what only looks like gRPC: another method, another content type.
--
-- Envoy would reply by gRPC if the request is application/grpc. The route's metadata contain the reply.

function envoy_on_response(handle)
  local body = handle:body(true) -- yields, which invalidates objects taken before
  local refusal, headers = handle:metadata(), handle:headers()
  local text = ('{"error":"%s","message":"%s"}'):format(refusal:get("error"), refusal:get("message"))
  local method = handle:streamInfo():filterState():get("asked.method")
  body:setBytes(method == "HEAD" and "" or text)
  headers:replace(":status", refusal:get("status"))
  headers:replace("content-type", "application/json")
  headers:replace("content-length", tostring(#text))
  headers:replace("cache-control", "no-store")
  headers:remove("grpc-status")
  headers:remove("grpc-message")
end
