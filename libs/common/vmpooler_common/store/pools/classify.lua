-- classify: what the records say of VMs that a listing shows. Writes nothing.
-- ARGS vms
-- REPLY state, attempt, provider, provider_id, gone, ip, host, dns
--
-- One reply for each of the at most 1,000 names, in their order.

local found = {}
for at, vm in ipairs(ARG.vms) do
  local known = redis.call('HMGET', K.vm .. vm, 'state', 'attempt', 'provider', 'id', 'gone', 'ip', 'host',
    'dns')
  found[at] = {
    state = known[1] or '', attempt = known[2] or '', provider = known[3] or '',
    provider_id = known[4] or '', gone = known[5] or '', ip = known[6] or '', host = known[7] or '',
    dns = known[8] or '',
  }
end
return cjson.encode(found)
