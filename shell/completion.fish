# Completion of agent-run in fish, in config.fish: agent-run completion fish | source
function __agent_run_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found (command @AGENT_RUN@ completion --words -- $words[2..] 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c agent-run -f -a '(__agent_run_complete)'
