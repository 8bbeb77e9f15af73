-- authorise: say whether the user of a token may do what is decided before another script is asked.
-- ARGV token digest or '', '1' when it must be an admin's, admin...
-- Returns 'ok', 'unauthorized' or 'foreign': the user may not.

local token = ARGV[1]
local user = token ~= '' and redis.call('HGET', K.token .. token, 'user')
local refusal = why_refused(true, nil, user, ARGV[2] == '1', 3)
if refusal then return refusal end
redis.call('HSET', K.token .. token, 'last', int(now_ms()))
return 'ok'
