-- cancel: undo a checkout whose answer never reached the user; a later arrival of it does nothing.
-- ARGV operation, reason
-- Returns {'cancelled', the names of the VMs that were taken back...}.

local key = K.op .. ARGV[1]
local reply = cjson.decode(redis.call('GET', key) or '["cancelled"]')
if reply[1] == 'cancelled' and reply[2] then return reply end

local now = int(now_ms())
local returned = { 'cancelled' }
if reply[1] == 'ok' then
  for at = 4, #reply, 5 do
    local vm, pool = reply[at], reply[at + 1]
    local known = redis.call('HMGET', K.vm .. vm, 'state', 'op')
    if known[1] == 'running' and known[2] == ARGV[1] then
      redis.call('ZREM', K.untagged .. pool, vm)
      move(vm, pool, 'running', 'completed', now, 'completed', now, 'reason', ARGV[2])
      table.insert(returned, vm)
    end
  end
end
redis.call('SET', key, cjson.encode(returned), 'PX', OPERATION_KEPT)
return returned
