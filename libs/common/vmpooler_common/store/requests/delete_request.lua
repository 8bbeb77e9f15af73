-- needs requests
-- delete_request: delete an on-demand request; its VMs go to destruction.
-- ARGS operation, request, reason, token, needs_token, only_owner, admins
-- REPLY outcome, user, vms
--
-- With `needs_token` a token is needed for any request. `vms` are those that ran, each with its name as `vm`,
-- pool,
-- provider_id and build_url (its tag jenkins_build_url, or '').
-- The outcome is ok; already: it was deleted before; missing; unauthorized: it was made with a token, or one
-- is
-- needed, and none that is known was given; foreign: the token is another user's.

local operation, request, token = ARG.operation, ARG.request, ARG.token

local function refuse(outcome)
  return cjson.encode({ outcome = outcome })
end

local known = redis.call('HMGET', K.request .. request, 'status', 'user', 'token')
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
if ARG.needs_token == '1' and not user then return refuse('unauthorized') end
if not known[1] then return refuse('missing') end
local refusal = why_refused(known[3] ~= '', known[2], user, ARG.only_owner == '1', ARG.admins)
if refusal then return refuse(refusal) end
local done = remembered(operation)
if done then return cjson.encode(done) end
if known[1] == 'deleted' then return refuse('already') end

local now = now_ms()
if user then redis.call('HSET', K.token .. token, 'last', int(now)) end
local reply = { outcome = 'ok', user = known[2] or '', vms = {} }
for _, vm in ipairs(close(request, 'deleted', now, ARG.reason)) do
  local record = redis.call('HMGET', K.vm .. vm, 'pool', 'id', 'tag:jenkins_build_url')
  table.insert(reply.vms,
    { vm = vm, pool = record[1], provider_id = record[2] or '', build_url = record[3] or '' })
end
return cjson.encode(remember(operation, reply))
