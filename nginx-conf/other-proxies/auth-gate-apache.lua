-- Asks Auth Gate about a request, for Apache's mod_lua and Debian's lua-socket:
--     UseCanonicalName On
--     LuaHookAccessChecker /etc/apache2/auth-gate-apache.lua check

local http = require "socket.http"

local GATE = "http://127.0.0.1:9091"
http.TIMEOUT = 10
local WHO = { "Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email" }
-- What the gate judges by. Bodies and all other headers stay here.
local TOLD = { "Accept", "Authorization", "Cookie", "Sec-Fetch-Mode", "Session-Username", "Upgrade", "User-Agent",
               "X-Requested-With" }
-- Answers that send the visitor away; all others but 200 mean that the gate cannot judge.
local AWAY = { [302] = true, [303] = true, [400] = true, [401] = true, [403] = true }

local function question(r)
    local scheme, usual = "http", 80
    if r.is_https then
        scheme, usual = "https", 443
    end
    local host = r.server_name
    local told = {
        ["X-Forwarded-Method"] = r.method,
        ["X-Forwarded-Proto"] = scheme,
        ["X-Forwarded-Host"] = r.port == usual and host or host .. ":" .. r.port,
        ["X-Forwarded-URI"] = r.unparsed_uri,
        ["X-Forwarded-For"] = r.useragent_ip,
    }
    for _, name in ipairs(TOLD) do
        told[name] = r.headers_in[name]
    end
    return told
end

function check(r)
    -- Apache gives hosts that no site has to the first one. What the rules say of them is not what they say of this site.
    if (r.hostname or ""):lower() ~= r.server_name:lower() then
        return 421
    end
    -- Headers that a visitor names there would be taken out again.
    if (r.headers_in["Connection"] or ""):lower():find("remote", 1, true) then
        return 400
    end
    local told = question(r)
    -- Remote-User, Remote_User and whatever else an application may take for it: only the gate says who somebody is.
    for name in pairs(r:headers_in_table()) do
        if name:lower():find("^remote%W") then
            r.headers_in[name] = nil
        end
    end
    local answered, status, headers = http.request({
        url = GATE .. "/api/authz/forward-auth",
        headers = told,
        redirect = false,
    })
    if answered and status == 200 then
        for _, name in ipairs(WHO) do
            r.headers_in[name] = headers[name:lower()]
        end
        return apache2.OK
    end
    if not answered or not AWAY[status] then
        r:err("Auth Gate at " .. GATE .. " cannot judge: " .. tostring(status))
        return 503
    end
    r.err_headers_out["Location"] = headers["location"]
    r.err_headers_out["WWW-Authenticate"] = headers["www-authenticate"]
    r.err_headers_out["Cache-Control"] = "no-store"
    return status
end
