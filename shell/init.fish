# agent-run in fish, in config.fish: agent-run shell-init fish | source
# Agents go through agent-run; `command claude` is the bare one, and inside a session every agent is. `agent_run_off` takes all of it away.
if not set -q AGENT_RUN
    # What had these names before comes back with agent_run_off.
    for name in @NAMES@
        if functions -q $name; and not functions -q __agent_run_on
            functions -c $name __agent_run_before_$name
        end
    end
    function __agent_run_on
    end
    # @FUNCTIONS@
end

# The segment for a prompt, called in fish_prompt: agent, profile, session and minutes left of the session that ends first.
function agent_run_prompt
    set -l folder @RUNTIME@
    set -l now (date +%s)
    set -l best
    set -l text
    set -l left 0
    set -l count 0
    for file in $folder/sess_*/status
        test -f "$file"; and test -r "$file"; or continue
        if set -q AGENT_RUN_SESSION; and test "$file" != "$folder/$AGENT_RUN_SESSION/status"
            continue
        end
        read -l -d ' ' ends expiry actor profile <$file; or continue
        string match -qr '^[0-9]+$' -- "$ends"; or continue
        set -l session (string replace -r '.*/sess_(.*)/status$' '$1' -- $file)
        # An agent without a sandbox could have written it.
        string match -qr '^[a-zA-Z0-9_.-]+$' -- "$actor$profile$session"; or continue
        set count (math $count + 1)
        if test -n "$best"; and test $ends -ge $best
            continue
        end
        set best $ends
        set left (math "floor(max(0, ($ends - $now + 59) / 60))")
        set -l time $left"m"
        test $left -ge 60; and set time (math "floor($left / 60)")h(printf '%02d' (math "$left % 60"))m
        set text "$actor $profile $session $time"
        test "$expiry" = refresh; and set text "$text+"
    end
    test $count -gt 0; or return 0
    test $count -gt 1; and set text "$text +"(math $count - 1)
    if set -q NO_COLOR
        echo -n "$text "
        return 0
    end
    set -l colour green
    test $left -lt 15; and set colour yellow
    test $left -lt 5; and set colour red
    set_color $colour
    echo -n $text
    set_color normal
    echo -n ' '
end

function agent_run_off
    functions -e @NAMES@ agent_run_off __agent_run_on __agent_run_complete 2>/dev/null
    complete -c agent-run -e
    for name in @NAMES@
        if functions -q __agent_run_before_$name
            functions -c __agent_run_before_$name $name
            functions -e __agent_run_before_$name
        end
    end
    # Your fish_prompt may still call it.
    function agent_run_prompt
    end
end
