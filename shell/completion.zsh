#compdef agent-run
# Completion of agent-run in zsh, in ~/.zshrc after compinit: source <(agent-run completion zsh)
_agent_run() {
  local line word
  local -a values
  for line in "${(@f)$(command @AGENT_RUN@ completion --words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] || continue
    word=${line%%$'\t'*}
    # _describe takes what stands behind a backslash as it is.
    word=${word//\\/\\\\}
    values+=("${word//:/\\:}:${line#*$'\t'}")
  done
  if (( $#values )); then
    _describe -t words agent-run values
  else
    _default
  fi
}
# As a file of a completions folder this is the body of a function that compinit loads at the first Tab.
if [[ ${funcstack[1]-} == _agent-run ]]; then
  _agent_run "$@"
elif (( $+functions[compdef] )); then
  compdef _agent_run agent-run
fi
