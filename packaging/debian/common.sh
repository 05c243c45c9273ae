say() { echo "libnginx-mod-http-auth-gate: $*" >&2; }

# Why nginx would not start; nothing if it would.
complaint() { said=$(nginx -t -q 2>&1) || echo "${said:-nginx -t failed}"; }

# text FILE [DEPTH]: without its comments, and of what stands in more than that many braces only the braces.
text() {
	sed 's/\(^\|[[:space:];{}]\)#.*/\1/' "$1" | awk -v most="${2:-99}" '{
		for (i = 1; i <= length($0); i++) {
			c = substr($0, i, 1)
			if (c == "}") depth--
			if (depth <= most) printf "%s", c
			if (c == "{") depth++
		}
		print ""
	}'
}

# patterns FILE [DEPTH]: what it includes.
patterns() {
	text "$@" | sed 's/[;{}]/&\n/g' |
		sed -n "s/^[[:space:]]*include[[:space:]]*[\"']\{0,1\}\([^;\"']*\).*;\$/\1/p" |
		sed 's#[[:space:]]*$##; s#^[^/]#/etc/nginx/&#'
}

# Where nginx.conf takes whatever files there are, each of them for all of http: what is hidden there is gone as a
# whole. Deeper inside, a location that is hidden would give way to another one.
site_patterns() { patterns /etc/nginx/nginx.conf 1 | grep '[*?[]' | grep -v '^/etc/nginx/modules-enabled/'; }
