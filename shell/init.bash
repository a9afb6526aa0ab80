# agent-run in bash, in ~/.bashrc: eval "$(agent-run shell-init bash)"
# Agents go through agent-run; `command claude` is the bare one, and inside a session every agent is. `agent_run_off` takes all of it away.
if [ -z "${AGENT_RUN:-}" ]; then
  # What had these names before comes back with agent_run_off.
  [ -n "${_agent_run_before+set}" ] || _agent_run_before=@BEFORE@
  : # @FUNCTIONS@
fi

# The segment for a prompt, as in PS1='$(agent_run_prompt)'"$PS1": agent, profile, session and minutes left of the session that ends first. Starts no program.
agent_run_prompt() {
  local folder=@RUNTIME@ file session ends expiry actor profile best='' text='' left=0 now count=0 colour=32 time
  now=${EPOCHSECONDS:-$(date +%s)}
  for file in "$folder"/sess_*/status; do
    { [ -f "$file" ] && [ -r "$file" ]; } || continue
    [ -z "${AGENT_RUN_SESSION:-}" ] || [ "$file" = "$folder/$AGENT_RUN_SESSION/status" ] || continue
    IFS=' ' read -r ends expiry actor profile <"$file" || continue
    case $ends in '' | *[!0-9]*) continue ;; esac
    session=${file%/status}
    session=${session##*/sess_}
    # An agent without a sandbox could have written it.
    case $actor$profile$session in *[!a-zA-Z0-9_.-]*) continue ;; esac
    count=$((count + 1))
    [ -z "$best" ] || [ "$ends" -lt "$best" ] || continue
    best=$ends
    left=$(((ends - now + 59) / 60))
    [ "$left" -ge 0 ] || left=0
    time=${left}m
    if [ "$left" -ge 60 ]; then
      time=0$((left % 60))
      time=$((left / 60))h${time: -2}m
    fi
    text="$actor $profile $session $time"
    [ "$expiry" != refresh ] || text="$text+"
  done
  [ "$count" -gt 0 ] || return 0
  [ "$count" -eq 1 ] || text="$text +$((count - 1))"
  if [ "$left" -lt 5 ]; then colour=31; elif [ "$left" -lt 15 ]; then colour=33; fi
  # 001 and 002 tell readline that what is between them takes no room.
  if [ -n "${NO_COLOR:-}" ]; then printf '%s ' "$text"; else printf '\001\033[%sm\002%s\001\033[39m\002 ' "$colour" "$text"; fi
}

agent_run_off() {
  unset -f @NAMES@ agent_run_prompt agent_run_off _agent_run_complete 2>/dev/null
  complete -r agent-run 2>/dev/null || :
  # shellcheck disable=SC2016 # The prompt holds these very characters.
  PS1=${PS1//'$(agent_run_prompt)'/}
  eval "${_agent_run_before-}"
  unset _agent_run_before
}
