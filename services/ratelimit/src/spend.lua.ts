/**
 * The budget script. One call decides all windows of a budget, so nothing can come between looking and
 * spending; Redis's own clock places the windows, so gateways whose clocks differ agree. Rejected: one call
 * per window, as Kong does (a refusal by the hour would already have spent the minute), and one hash per
 * budget (Kong's tools and a Kong running beside us read Kong's keys).
 */

/** UTC calendar windows. Month arithmetic: Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
const CALENDAR_LUA = `
local DAY = 86400000
local LENGTH = { second = 1000, minute = 60000, hour = 3600000, day = DAY }

local function first_day(year, month)
  if month <= 2 then year = year - 1 end
  local era = math.floor(year / 400)
  local year_of_era = year - era * 400
  local day_of_year = math.floor((153 * ((month + 9) % 12) + 2) / 5)
  return era * 146097 + year_of_era * 365 + math.floor(year_of_era / 4) - math.floor(year_of_era / 100)
    + day_of_year - 719468
end

local function year_and_month(day)
  local shifted = day + 719468
  local era = math.floor(shifted / 146097)
  local rest = shifted - era * 146097
  local year_of_era = math.floor(
    (rest - math.floor(rest / 1460) + math.floor(rest / 36524) - math.floor(rest / 146096)) / 365)
  local day_of_year = rest
    - (365 * year_of_era + math.floor(year_of_era / 4) - math.floor(year_of_era / 100))
  local shifted_month = math.floor((5 * day_of_year + 2) / 153)
  local month = shifted_month < 10 and shifted_month + 3 or shifted_month - 9
  return year_of_era + era * 400 + (month <= 2 and 1 or 0), month
end

local function window(period, now)
  local length = LENGTH[period]
  if length then
    local start = now - now % length
    return start, start + length
  end
  local year, month = year_and_month(math.floor(now / DAY))
  if period == 'year' then return first_day(year, 1) * DAY, first_day(year + 1, 1) * DAY end
  local next_year = month == 12 and year + 1 or year
  return first_day(year, month) * DAY, first_day(next_year, month % 12 + 1) * DAY
end
`;

/** A number in full digits: Lua writes large ones with an exponent and a negated zero as "-0". */
const KEYS_LUA = `
local function digits(number) return string.format('%.0f', number) end

local budget = KEYS[1]
local leases = budget .. ':leases'
local function counter(start, period) return budget .. ':' .. digits(start) .. ':' .. period end
`;

/**
 * KEYS[1] budget key; ARGV[1] check | lease | settle; ARGV[2] now in ms, empty for Redis's clock; ARGV[3]
 * instant in ms after which nobody waits for the answer, empty for none.
 * check: ARGV[4] cost; ARGV[5…] pairs of period and limit. lease: ARGV[4] wants, then lease id, edges,
 * longest life in ms, pairs. settle: ARGV[4] unused, ARGV[5] lease id.
 * Replies {granted or returned, now, ttl in ms, index of the refusing window or 0, then used and ms to the
 * end of each window}; {-1, now} when it came too late, and then it did nothing.
 */
const START_LUA = `
local operation, amount = ARGV[1], tonumber(ARGV[4])
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local deadline = tonumber(ARGV[3])
if deadline and now > deadline then return { -1, now } end
`;

/** A settled lease is forgotten first, so a second settle finds nothing. */
const SETTLE_LUA = `
if operation == 'settle' then
  local record = redis.call('HGET', leases, 'lease:' .. ARGV[5])
  if not record then return { 0, now } end
  redis.call('HDEL', leases, 'lease:' .. ARGV[5])
  local unused, returned = math.min(amount, tonumber(string.match(record, '^%d+ (%d+)'))), 0
  for period, start in string.gmatch(record, '(%a+)=(%d+)') do
    if window(period, now) == tonumber(start) then
      local key = counter(start, period)
      local back = math.min(unused, tonumber(redis.call('GET', key) or 0))
      if back > 0 then
        redis.call('DECRBY', key, digits(back))
        returned = math.max(returned, back)
      end
    end
  end
  return { returned, now }
end
`;

/**
 * A limit of 2.5 admits three, as Kong's "refuse when limit - used <= 0" does. Beyond 2^53 - 1 a double no
 * longer counts by one, and INCRBY overflows at 2^63 in the middle of the windows: no budget is larger than
 * that.
 */
const DECIDE_LUA = `
local windows, keys = {}, {}
for i = operation == 'lease' and 8 or 5, #ARGV, 2 do
  local start, stop = window(ARGV[i], now)
  local key = counter(start, ARGV[i])
  keys[#keys + 1] = key
  windows[#windows + 1] = {
    period = ARGV[i], start = start, stop = stop, key = key,
    capacity = math.min(math.ceil(tonumber(ARGV[i + 1])), 9007199254740991),
  }
end

local edges = operation == 'lease' and tonumber(ARGV[6]) or 1
local counts = redis.call('MGET', unpack(keys))
local granted, refusing, nearest = amount, 0, math.huge
for i, each in ipairs(windows) do
  -- MGET is silent about a key of another type; GET refuses it here, before anything is spent.
  local count = counts[i] or redis.call('GET', each.key)
  if count and not string.match(count, '^%d+$') then
    return redis.error_reply('ERR a counter holds no count')
  end
  each.is_new, each.used = not count, tonumber(count or 0)
  local room = each.capacity - each.used
  if operation == 'lease' then granted = math.min(granted, math.max(1, math.floor(room / (5 * edges)))) end
  if room < (operation == 'lease' and 1 or amount) then
    if refusing == 0 or each.stop - each.start < windows[refusing].stop - windows[refusing].start then
      refusing = i
    end
  end
  nearest = math.min(nearest, each.stop - now)
end
if refusing > 0 then granted = 0 end

local spent = {}
for _, each in ipairs(windows) do
  if granted > 0 and not spent[each.key] then
    spent[each.key] = true
    redis.call('INCRBY', each.key, digits(granted))
    if each.is_new then redis.call('PEXPIREAT', each.key, digits(each.stop)) end
  end
end
`;

/**
 * A lease is remembered for 5 s past its end, so that what was left at the end can still come back. Nobody
 * settles the leases of an edge that died: each lease call walks on by a few fields and deletes up to 8
 * forgotten ones. They give nothing back, for they may have been spent. The whole hash goes 20 s after the
 * last lease (10 s of life at most, by the contract).
 */
const LEASE_LUA = `
local ttl = 0
if operation == 'lease' then
  local cursor, deleted = redis.call('HGET', leases, 'cursor') or '0', 0
  local page = redis.call('HSCAN', leases, cursor, 'COUNT', 8)
  for i = 1, #page[2], 2 do
    local ends = string.match(page[2][i + 1], '^(%d+) ')
    if ends and tonumber(ends) < now and deleted < 8 then
      redis.call('HDEL', leases, page[2][i])
      deleted = deleted + 1
    end
  end
  if page[1] ~= cursor then redis.call('HSET', leases, 'cursor', page[1]) end

  if granted > 0 then
    ttl = math.min(tonumber(ARGV[7]), nearest)
    local record = { digits(now + ttl + 5000), digits(granted) }
    for _, each in ipairs(windows) do
      if spent[each.key] then
        spent[each.key] = nil
        record[#record + 1] = each.period .. '=' .. digits(each.start)
      end
    end
    redis.call('HSET', leases, 'lease:' .. ARGV[5], table.concat(record, ' '))
    redis.call('PEXPIREAT', leases, digits(now + 20000))
  end
end
`;

const REPLY_LUA = `
local reply = { granted, now, ttl, refusing }
for _, each in ipairs(windows) do
  reply[#reply + 1] = each.used + (granted > 0 and granted or 0)
  reply[#reply + 1] = each.stop - now
end
return reply
`;

export const SPEND_LUA = [
  CALENDAR_LUA,
  KEYS_LUA,
  START_LUA,
  SETTLE_LUA,
  DECIDE_LUA,
  LEASE_LUA,
  REPLY_LUA,
].join('');
