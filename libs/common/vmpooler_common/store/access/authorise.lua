-- authorise: say whether the user of a token may do what is decided before another script is asked.
-- ARGS token, only_admins, admins
--
-- Returns 'ok', 'unauthorized' or 'foreign': the user may not.

local token = ARG.token
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
local refusal = why_refused(true, nil, user, ARG.only_admins == '1', ARG.admins)
if refusal then return refusal end
redis.call('HSET', K.token .. token, 'last', int(now_ms()))
return 'ok'
