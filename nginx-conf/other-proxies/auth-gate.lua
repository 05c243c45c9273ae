-- Asks Auth Gate about a request, for HAProxy 2.6 or newer:
--     http-request lua.auth-gate http://127.0.0.1:9091
--     http-request deny deny_status 503 unless { var(txn.auth_gate) -m str allow }
-- Needs nothing but HAProxy.

-- For each try; HAProxy makes up to four.
local SECONDS = 10
local WHO = { "remote-user", "remote-groups", "remote-name", "remote-email" }
-- What the gate judges by. Bodies and all other headers stay here.
local TOLD = { "accept", "authorization", "cookie", "sec-fetch-mode", "session-username", "upgrade", "user-agent",
               "x-requested-with" }
-- Answers that send the visitor away; all others but 200 mean that the gate cannot judge.
local AWAY = { [302] = true, [303] = true, [400] = true, [401] = true, [403] = true }

local function question(txn)
    local headers = txn.http:req_get_headers()
    local told = {
        ["x-forwarded-method"] = { txn.sf:method() },
        ["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" },
        ["x-forwarded-host"] = { headers["host"] and headers["host"][0] or "" },
        ["x-forwarded-uri"] = { txn.sf:pathq() },
        ["x-forwarded-for"] = { txn.sf:src() },
    }
    for _, name in ipairs(TOLD) do
        local values = {}
        for _, value in pairs(headers[name] or {}) do
            values[#values + 1] = value
        end
        told[name] = #values > 0 and values or nil
    end
    return told, headers
end

local function send_away(txn, answer)
    local reply = txn:reply({ status = AWAY[answer.status] and answer.status or 503 })
    for _, name in ipairs({ "location", "www-authenticate" }) do
        for _, value in pairs(answer.headers and answer.headers[name] or {}) do
            reply:add_header(name, value)
        end
    end
    reply:add_header("cache-control", "no-store")
    txn:done(reply)
end

core.register_action("auth-gate", { "http-req" }, function(txn, gate)
    local told, headers = question(txn)
    -- Remote-User, Remote_User and whatever else an application may take for it: only the gate says who somebody is.
    for name in pairs(headers) do
        if name:lower():find("^remote%W") then
            txn.http:req_del_header(name)
        end
    end
    local answer = core.httpclient():get({
        url = gate .. "/api/authz/forward-auth",
        headers = told,
        timeout = SECONDS * 1000,
    })
    if not answer or answer.status ~= 200 then
        send_away(txn, answer or {})
        return
    end
    for _, name in ipairs(WHO) do
        local values = answer.headers[name]
        if values then
            txn.http:req_set_header(name, values[0])
        end
    end
    txn:set_var("txn.auth_gate", "allow")
end, 1)
