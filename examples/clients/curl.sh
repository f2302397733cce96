#!/bin/sh
# Server-sent events with nothing but curl: every "data:" line is one update.
curl --silent --show-error --no-buffer "${KASCADE_URL:-http://127.0.0.1:4000/graphql}" \
  --header 'Accept: text/event-stream' \
  --header 'Content-Type: application/json' \
  --header "Authorization: Bearer ${KASCADE_TOKEN:-glpat-ada-sees-everything}" \
  --data @- <<JSON
{
  "query": "subscription (\$agentId: ID!, \$namespace: String) { k8sPods(agentId: \$agentId, namespace: \$namespace) { type upserted { metadata { name } displayStatus } removed total cursor } }",
  "variables": { "agentId": "${KASCADE_AGENT:-1}", "namespace": "${KASCADE_NAMESPACE:-shop}" }
}
JSON
