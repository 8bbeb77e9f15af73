-- settle_records: the DNS records of a VM were made what its record says. Safe to repeat.
-- ARGS pool, vm, attempt, ip, keep
--
-- `ip` is the address to which they lead now, or '' when they were removed; then the record of the VM, which
-- is gone, is kept for `keep` seconds more.
-- Returns 1, or 0 when there is something else to do by now.

local known = redis.call('HMGET', K.vm .. ARG.vm, 'state', 'attempt', 'ip')
if not known[1] then
  redis.call('ZREM', K.dns_due .. ARG.pool, ARG.vm)
  return 1
end
if known[2] ~= ARG.attempt then return 0 end
if (ARG.ip == '') ~= (known[1] == 'gone') then return 0 end
if ARG.ip == '' then
  redis.call('HDEL', K.vm .. ARG.vm, 'dns', 'dns_tried')
  redis.call('EXPIRE', K.vm .. ARG.vm, ARG.keep)
elseif known[3] ~= ARG.ip then
  return 0
end
redis.call('ZREM', K.dns_due .. ARG.pool, ARG.vm)
return 1
