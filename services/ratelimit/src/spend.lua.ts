/**
 * The budget scripts. One call decides all windows of a budget, so nothing can come between looking and
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
const TIME_LUA = `
local function digits(number) return string.format('%.0f', number) end

local function clock(given)
  local time = not given and redis.call('TIME')
  return given or tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
`;

/**
 * The counters that a call looks at: all are read in one command before anything is decided, each once, and written
 * after everything is. `counts` has those that hold a count, as they are after what was decided so far.
 *
 * A limit of 2.5 admits three, as Kong's "refuse when limit - used <= 0" does. Beyond 2^53 - 1 a double no
 * longer counts by one, and INCRBY overflows at 2^63 in the middle of the windows: no budget is larger than
 * that.
 */
const COUNTERS_LUA = `
local names, known, counts, added, ends = {}, {}, {}, {}, {}

local function limits_of(pairs_of, first, now)
  local limits, seen = {}, {}
  for i = first, #pairs_of, 2 do
    local period = pairs_of[i]
    local start, stop = window(period, now)
    limits[#limits + 1] = {
      period = period, start = start, stop = stop, suffix = ':' .. digits(start) .. ':' .. period,
      capacity = math.min(math.ceil(tonumber(pairs_of[i + 1])), 9007199254740991), is_repeated = seen[period],
    }
    seen[period] = true
  end
  return limits
end

local function keys_of(budget, limits)
  local keys = {}
  for i = 1, #limits do
    local key = budget .. limits[i].suffix
    keys[i] = key
    if not known[key] then
      known[key] = true
      names[#names + 1] = key
    end
  end
  return keys
end

local function look()
  local found = redis.call('MGET', unpack(names))
  for i, key in ipairs(names) do
    -- MGET is silent about a key of another type; GET refuses it here, before anything is spent.
    local count = found[i] or redis.pcall('GET', key)
    if not count then
      counts[key], ends[key] = 0, true
    elseif type(count) == 'string' and string.match(count, '^%d+$') then
      counts[key] = tonumber(count)
    end
  end
end

local function decide(keys, limits, amount, edges)
  local granted, refusing = amount, 0
  for i = 1, #limits do
    local limit, count = limits[i], counts[keys[i]]
    if not count then return nil end
    local room = limit.capacity - count
    if edges then granted = math.min(granted, math.max(1, math.floor(room / (5 * edges)))) end
    if room < (edges and 1 or amount) then
      local smallest = limits[refusing]
      if not smallest or limit.stop - limit.start < smallest.stop - smallest.start then refusing = i end
    end
  end
  if refusing > 0 then return 0, refusing end
  for i = 1, #limits do
    local limit, key = limits[i], keys[i]
    if not limit.is_repeated then
      counts[key], added[key] = counts[key] + granted, (added[key] or 0) + granted
      if ends[key] then ends[key] = limit.stop end
    end
  end
  return granted, 0
end

local function spend()
  for i = 1, #names do
    local key = names[i]
    if added[key] then
      redis.call('INCRBY', key, digits(added[key]))
      if ends[key] then redis.call('PEXPIREAT', key, digits(ends[key])) end
    end
  end
end
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
local budget, operation, amount = KEYS[1], ARGV[1], tonumber(ARGV[4])
local leases = budget .. ':leases'
local now = clock(tonumber(ARGV[2]))
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
      local key = budget .. ':' .. digits(start) .. ':' .. period
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

const DECIDE_LUA = `
local limits = limits_of(ARGV, operation == 'lease' and 8 or 5, now)
local keys = keys_of(budget, limits)
look()
local granted, refusing = decide(keys, limits, amount, operation == 'lease' and tonumber(ARGV[6]))
if not granted then return redis.error_reply('ERR a counter holds no count') end
spend()
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
    ttl = tonumber(ARGV[7])
    local record = {}
    for _, each in ipairs(limits) do
      ttl = math.min(ttl, each.stop - now)
      if not each.is_repeated then record[#record + 1] = each.period .. '=' .. digits(each.start) end
    end
    table.insert(record, 1, digits(now + ttl + 5000) .. ' ' .. digits(granted))
    redis.call('HSET', leases, 'lease:' .. ARGV[5], table.concat(record, ' '))
    redis.call('PEXPIREAT', leases, digits(now + 20000))
  end
end
`;

const REPLY_LUA = `
local reply = { granted, now, ttl, refusing }
for i, each in ipairs(limits) do
  reply[#reply + 1] = counts[keys[i]]
  reply[#reply + 1] = each.stop - now
end
return reply
`;

export const SPEND_LUA = [
  CALENDAR_LUA,
  TIME_LUA,
  COUNTERS_LUA,
  START_LUA,
  SETTLE_LUA,
  DECIDE_LUA,
  LEASE_LUA,
  REPLY_LUA,
].join('');

/**
 * Many checks in one call, decided in their order as if each came alone.
 * KEYS: the budget key of each check, then keys of hashes to read. ARGV[1] and ARGV[2] as ARGV[2] and ARGV[3] above;
 * ARGV[3] JSON of the lists of pairs of period and limit, of each check's cost, of which list is its, and of the fields
 * to read of the hashes.
 * Replies two texts of JSON, for the client takes one text to pieces much faster than it reads many figures. The first:
 * 0, now, ms to the end of each window of each list, then of each check the index of the refusing window, 0 for none,
 * or -1 where a counter holds no count, and used of each window; -1, now when it came too late. The second: each hash
 * as the values of those fields, false for those it has not; nothing where there is no hash, null for what is none.
 */
const TOGETHER_LUA = `
local now = clock(tonumber(ARGV[1]))
local deadline = tonumber(ARGV[2])
if deadline and now > deadline then return { '[-1,' .. digits(now) .. ']', '[]' } end

local lists, costs, uses, fields = unpack(cjson.decode(ARGV[3]))
local reply = { 0, digits(now) }
for i, list in ipairs(lists) do
  lists[i] = limits_of(list, 1, now)
  for _, each in ipairs(lists[i]) do reply[#reply + 1] = each.stop - now end
end

local keys = {}
for i = 1, #costs do keys[i] = keys_of(KEYS[i], lists[uses[i]]) end
look()
for i = 1, #costs do
  local granted, refusing = decide(keys[i], lists[uses[i]], costs[i])
  reply[#reply + 1] = granted and refusing or -1
  for _, key in ipairs(keys[i]) do
    local count = counts[key] or 0
    reply[#reply + 1] = count < 1e14 and count or digits(count)
  end
end
spend()

local hashes = {}
for i = #costs + 1, #KEYS do
  local values = redis.pcall('HMGET', KEYS[i], unpack(fields))
  local is_there = values.err
  for _, value in ipairs(values) do is_there = is_there or value end
  if values.err then
    values = cjson.null
  elseif not is_there and redis.call('EXISTS', KEYS[i]) == 0 then
    values = {}
  end
  hashes[#hashes + 1] = values
end
return { '[' .. table.concat(reply, ',') .. ']', cjson.encode(hashes) }
`;

export const SPEND_TOGETHER_LUA = [CALENDAR_LUA, TIME_LUA, COUNTERS_LUA, TOGETHER_LUA].join('');
