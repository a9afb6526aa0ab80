# agent-run in zsh, in ~/.zshrc: eval "$(agent-run shell-init zsh)"
# Agents go through agent-run; `command claude` is the bare one, and inside a session every agent is. `agent_run_off` takes all of it away.
if [[ -z ${AGENT_RUN:-} ]]; then
  # What had these names before comes back with agent_run_off.
  (( ${+_agent_run_before} )) || _agent_run_before=@BEFORE@
  : # @FUNCTIONS@
fi
zmodload zsh/datetime 2>/dev/null

# zsh takes over the terminal's modes from whatever ended, also from an agent-run that was killed by SIGKILL before they could be restored. Where they have
# been restored since, zsh takes them over from a stty that changes nothing.
_agent_run_modes() {
  (( $? == 137 )) || return 0
  if [[ "$(command stty -a 2>/dev/null)" == *-opost* ]]; then command stty sane; else command stty -a &>/dev/null; fi
}
autoload -Uz add-zsh-hook
add-zsh-hook precmd _agent_run_modes

# The segment for a prompt, as in setopt prompt_subst; PROMPT='$(agent_run_prompt)'$PROMPT: agent, profile, session and minutes left of the session that ends
# first. Starts no program.
agent_run_prompt() {
  emulate -L zsh
  setopt null_glob
  local folder=@RUNTIME@ file session ends expiry actor profile best='' text='' colour=green time
  local -i left=0 now=${EPOCHSECONDS:-$(date +%s)} count=0
  for file in "$folder"/sess_*/status; do
    [[ -f $file && -r $file ]] || continue
    [[ -z ${AGENT_RUN_SESSION:-} || $file == "$folder/$AGENT_RUN_SESSION/status" ]] || continue
    IFS=' ' read -r ends expiry actor profile <"$file" || continue
    [[ $ends == <-> ]] || continue
    session=${file:h:t:s/sess_//}
    # An agent without a sandbox could have written it.
    [[ $actor$profile$session != *[^a-zA-Z0-9_.-]* ]] || continue
    (( count += 1 ))
    [[ -z $best ]] || (( ends < best )) || continue
    best=$ends
    (( left = (ends - now + 59) / 60, left = left < 0 ? 0 : left ))
    if (( left < 60 )); then time=${left}m; else time=$(( left / 60 ))h${(l:2::0:)$(( left % 60 ))}m; fi
    text="$actor $profile $session $time"
    [[ $expiry != refresh ]] || text+=+
  done
  (( count > 0 )) || return 0
  (( count == 1 )) || text+=" +$(( count - 1 ))"
  if (( left < 5 )); then colour=red; elif (( left < 15 )); then colour=yellow; fi
  if [[ -n ${NO_COLOR:-} ]]; then print -rn -- "$text "; else print -rn -- "%F{$colour}$text%f "; fi
}

agent_run_off() {
  add-zsh-hook -d precmd _agent_run_modes
  unset -f @NAMES@ agent_run_prompt agent_run_off _agent_run _agent_run_modes 2>/dev/null
  (( ! $+functions[compdef] )) || compdef -d agent-run
  PROMPT=${PROMPT//'$(agent_run_prompt)'/}
  RPROMPT=${RPROMPT//'$(agent_run_prompt)'/}
  eval "${_agent_run_before-}"
  unset _agent_run_before
}
