# shellcheck shell=sh
# What `agent-run status --format prompt|bash|zsh|tmux` prints, without starting Node: prompts and status lines ask for it all the time. Read by bin/agent-run.cjs,
# with its arguments; it ends the command, or returns where Node is to answer. The same words as src/cli/status.ts, which a test holds against it.
case $#:${2-}:${3-} in
  3:--format:prompt | 3:--format:bash | 3:--format:zsh | 3:--format:tmux) agent_run_format=$3 ;;
  2:--format=prompt: | 2:--format=bash: | 2:--format=zsh: | 2:--format=tmux:) agent_run_format=${2#--format=} ;;
  *) return 0 ;;
esac

# Inside a session the variables that move our folders are gone, but its own files are named.
agent_run_own=${AGENT_RUN_SESSION-}
agent_run_folder=${AWS_CONFIG_FILE-}
agent_run_folder=${agent_run_folder%/*}
if [ -n "$agent_run_own" ] && [ "${agent_run_folder##*/}" = "$agent_run_own" ]; then
  agent_run_folder=${agent_run_folder%/*}
elif [ -n "${AGENT_RUN_HOME-}" ]; then
  agent_run_folder=$AGENT_RUN_HOME/run
elif [ -n "${XDG_RUNTIME_DIR-}" ]; then
  agent_run_folder=$XDG_RUNTIME_DIR/agent-run
else
  agent_run_uid=$(id -u)
  agent_run_folder=${TMPDIR:-${TMP:-${TEMP:-/tmp}}}
  agent_run_folder=${agent_run_folder%/}/agent-run-$agent_run_uid
  [ ! -e "/run/user/$agent_run_uid" ] || agent_run_folder=/run/user/$agent_run_uid/agent-run
fi

agent_run_count=0
agent_run_best=
for agent_run_file in "$agent_run_folder"/sess_*/status; do
  [ -f "$agent_run_file" ] || continue
  agent_run_session=${agent_run_file%/status}
  agent_run_session=${agent_run_session##*/}
  case ${agent_run_session#sess_} in *[!0-9a-f]* | ?????????*) continue ;; ????????) ;; *) continue ;; esac
  [ -z "$agent_run_own" ] || [ "$agent_run_session" = "$agent_run_own" ] || continue
  IFS=' ' read -r agent_run_ends agent_run_expiry agent_run_actor agent_run_profile agent_run_rest <"$agent_run_file" || return 0
  # Whatever is not as we write it, an agent without a sandbox may have written. Node makes names plain.
  case $agent_run_ends in '' | 0?* | *[!0-9]* | ?????????????*) return 0 ;; esac
  case $agent_run_expiry in refresh | stop | ask) ;; *) return 0 ;; esac
  case $agent_run_actor$agent_run_profile$agent_run_rest in *[!a-zA-Z0-9_.-]*) return 0 ;; esac
  [ -n "$agent_run_profile" ] && [ -z "$agent_run_rest" ] || return 0
  [ ${#agent_run_actor} -le 64 ] && [ ${#agent_run_profile} -le 64 ] || return 0
  agent_run_count=$((agent_run_count + 1))
  [ -z "$agent_run_best" ] || [ "$agent_run_ends" -lt "$agent_run_best" ] || continue
  agent_run_best=$agent_run_ends
  agent_run_names="$agent_run_actor $agent_run_profile ${agent_run_session#sess_}"
  agent_run_mark=
  [ "$agent_run_expiry" != refresh ] || agent_run_mark=+
done
[ "$agent_run_count" -gt 0 ] || exit 0

agent_run_left=$(((agent_run_best - $(date +%s) + 59) / 60))
[ "$agent_run_left" -ge 0 ] || agent_run_left=0
if [ "$agent_run_left" -lt 5 ]; then
  agent_run_colour=red agent_run_code=31
elif [ "$agent_run_left" -lt 15 ]; then
  agent_run_colour=yellow agent_run_code=33
else
  agent_run_colour=green agent_run_code=32
fi
agent_run_time=${agent_run_left}m
if [ "$agent_run_left" -ge 60 ]; then
  agent_run_minutes=0$((agent_run_left % 60))
  agent_run_time=$((agent_run_left / 60))h${agent_run_minutes#"${agent_run_minutes%??}"}m
fi
agent_run_text="$agent_run_names $agent_run_time$agent_run_mark"
agent_run_more=
[ "$agent_run_count" -eq 1 ] || agent_run_more=" +$((agent_run_count - 1))"
[ -z "${NO_COLOR-}" ] || agent_run_format=plain
case $agent_run_format in
  plain) printf '%s%s\n' "$agent_run_text" "$agent_run_more" ;;
  prompt) printf '\033[%sm%s\033[39m%s\n' "$agent_run_code" "$agent_run_text" "$agent_run_more" ;;
  bash) printf '\001\033[%sm\002%s\001\033[39m\002%s\n' "$agent_run_code" "$agent_run_text" "$agent_run_more" ;;
  zsh) printf '%%F{%s}%s%%f%s\n' "$agent_run_colour" "$agent_run_text" "$agent_run_more" ;;
  tmux) printf '#[fg=%s]%s#[default]%s\n' "$agent_run_colour" "$agent_run_text" "$agent_run_more" ;;
esac
exit 0
