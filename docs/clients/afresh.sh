# For shell scripts: `. afresh.sh`, then `afresh_lease` once and `afresh_reset` after each test. Needs curl.

# afresh_request METHOD PATH [JSON]
afresh_request() {
  # Other users of the machine can read arguments: the token is not one.
  printf 'header = "Authorization: Bearer %s"\n' "$AFRESH_TOKEN" |
    curl --config - --silent --show-error --fail-with-body --noproxy '*' --request "$1" \
      --header 'Content-Type: application/json' ${3:+--data "$3"} "$AFRESH_SERVER$2"
}

# Sets DATABASE_URL. The lease ends with the shell.
afresh_lease() {
  afresh_reply=$(afresh_request POST /v1/leases '{"client": "shell"}') || return
  AFRESH_LEASE=$(printf '%s' "$afresh_reply" | sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p')
  DATABASE_URL=$(printf '%s' "$afresh_reply" | sed -n 's/.*"url":"\([^"]*\)".*/\1/p')
  export DATABASE_URL
  trap 'afresh_request DELETE "/v1/leases/$AFRESH_LEASE"' EXIT
}

# afresh_reset [TEST]: the name of the test must need no escapes in JSON.
afresh_reset() {
  afresh_request POST "/v1/leases/$AFRESH_LEASE/reset" "{\"test\": \"${1:-shell}\"}" >/dev/null
}
