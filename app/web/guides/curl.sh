#: token
API="$QUICKWIN_SERVER/api/v1"
KPU="$API/institutions/kpu"
quickwin() { curl -sS --fail-with-body -H "Authorization: Bearer $QUICKWIN_TOKEN" "$@"; }
quickwin "$API/me"
#: report
quickwin "$KPU/initiatives/QW-2022-014/milestones/3/updates" \
  -H "Content-Type: application/json" -H "Idempotency-Key: curl-2022-11-15" \
  -d '{"percent_complete": 60, "effective_on": "2022-11-15", "note": "Modul B selesai"}'
#: batch
quickwin "$KPU/updates" -H "Content-Type: application/json" -d '{"items": [
  {"initiative": "QW-2022-014", "milestone": 3, "percent_complete": 65,
   "effective_on": "2022-11-20", "source": "sakti", "external_id": "2022/77"},
  {"initiative": "QW-2022-014", "milestone": 99, "percent_complete": 10,
   "source": "sakti", "external_id": "2022/78"}]}'
#: read
rollup="$KPU/units/32/rollup?as_of=2022-11-30"
folder=$(mktemp -d)
quickwin --etag-save "$folder/etag" -o "$folder/rollup.json" "$rollup"
quickwin --etag-compare "$folder/etag" -o "$folder/news.json" -w '%{http_code}\n' "$rollup"
#: follow
after=$(quickwin "$KPU/events?limit=1" | sed 's/.*"next_after":\([0-9]*\).*/\1/')
quickwin "$KPU/events?after=$after&type=update.reported"
#: errors
answer=$(quickwin "$KPU/units/nowhere/rollup" || true)
case "$answer" in
  *'"code": "not_found"'*) echo "no such unit, or not for me" ;;
  *) echo "$answer" >&2; exit 1 ;;
esac
