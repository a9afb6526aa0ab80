# Completion of agent-run in bash, in ~/.bashrc: source <(agent-run completion bash)
_agent_run_complete() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("$(printf '%q' "${line%%$'\t'*}")")
  done < <(command @AGENT_RUN@ completion --words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  # bash cuts words at `=` and replaces only what follows it.
  if [[ ${COMP_WORDS[COMP_CWORD]} == = || ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then COMPREPLY=("${COMPREPLY[@]#--*=}"); fi
}
complete -o bashdefault -o default -F _agent_run_complete agent-run
