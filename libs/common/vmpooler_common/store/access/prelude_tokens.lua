-- Finding a token, by itself or by its beginning under which lists show it.

-- Tell why who has logged in (`user`, with the digest `attempt` of name and address) may not have to do with
-- the tokens of `owner`: 'throttled' when such an attempt has failed within a second, 'foreign' for another
-- user's tokens unless `is_admin` is '1'; nil when nothing is in the way.
local function login_refusal(user, attempt, owner, is_admin)
  if redis.call('EXISTS', K.failed .. attempt) == 1 then return 'throttled' end
  if owner ~= user and is_admin ~= '1' then return 'foreign' end
  return nil
end

-- Find the tokens of `owner` that begin so.
local function tokens_beginning(beginning, owner)
  local found = {}
  for _, token in ipairs(redis.call('ZRANGE', K.tokens .. owner, 0, -1)) do
    if redis.call('HGET', K.token .. token, 'beginning') == beginning then table.insert(found, token) end
  end
  return found
end

-- The running VMs of a user that were taken with a token.
local function vms_taken_with(token, user)
  local vms = {}
  for _, vm in ipairs(redis.call('ZRANGE', K.taken .. 'u:' .. user, 0, -1)) do
    if redis.call('HGET', K.vm .. vm, 'token') == token then table.insert(vms, vm) end
  end
  return vms
end
