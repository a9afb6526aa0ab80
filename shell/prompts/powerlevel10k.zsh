# The session that ends first, in powerlevel10k's prompt: into ~/.p10k.zsh, with agent_run in POWERLEVEL9K_LEFT_PROMPT_ELEMENTS or
# POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS. It calls the function of `agent-run shell-init zsh`, which starts no program.
function prompt_agent_run() {
  (( $+functions[agent_run_prompt] )) || return
  local text=$(agent_run_prompt)
  [[ -z $text ]] || p10k segment -t "${text% }"
}
