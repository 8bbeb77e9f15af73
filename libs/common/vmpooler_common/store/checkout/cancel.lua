-- needs requests queue
-- cancel: undo a checkout, or the opening of an on-demand request, whose answer never reached the user; a
-- later arrival of it does nothing.
--
-- The ticket of the checkout is given up.
-- VMs that were taken under an Idempotency-Key stay as long as another request that was told of them counts.
-- ARGS operation, reason
-- REPLY vms
--
-- `vms` are the names of the VMs that were taken back.

local operation, reason = ARG.operation, ARG.reason
-- What is remembered is {'cancelled', name...}.
local function answer(returned)
  table.remove(returned, 1)
  return cjson.encode({ vms = returned })
end

local reply = remembered(operation) or { 'cancelled' }
if reply[1] == 'cancelled' and reply[2] then return answer(reply) end

local function is_reported_to_others()
  if reply[3] == '' then return false end
  local grant = K.idempotency .. reply[3]
  -- The hour may be over by now: then whoever asked first has them.
  if redis.call('HGET', grant, 'operation') ~= reply[4] then return reply[1] == 'again' end
  if redis.call('HINCRBY', grant, 'reported', -1) > 0 then return true end
  redis.call('DEL', grant)
  return false
end

local now = now_ms()
give_ticket_up(operation)
local returned = { 'cancelled' }
if reply[1] == 'opened' then
  local status = redis.call('HGET', K.request .. reply[2], 'status')
  if status == 'open' or status == 'ready' then
    for _, vm in ipairs(close(reply[2], 'deleted', now, reason)) do table.insert(returned, vm) end
  end
elseif (reply[1] == 'ok' or reply[1] == 'again') and not is_reported_to_others() then
  for at = 6, #reply, 5 do
    local vm, pool = reply[at], reply[at + 1]
    local known = redis.call('HMGET', K.vm .. vm, 'state', 'op')
    if known[1] == 'running' and known[2] == reply[4] then
      redis.call('ZREM', K.untagged .. pool, vm)
      move(vm, pool, 'running', 'completed', int(now), 'completed', int(now), 'reason', reason)
      table.insert(returned, vm)
    end
  end
end
return answer(remember(operation, returned))
