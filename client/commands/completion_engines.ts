/**
 * How shells find out what can stand at the cursor. What they know of commands is in the table that
 * comes before: `_circuit_table COMMAND` prints rows of three fields, see `completion_script.ts`.
 *
 * @module
 */

/**
 * For bash and zsh. Prints a line for each candidate, with a tab and a word about it; or one of
 * `:file`, `:directory` and `:command`, for which the shell has completions of its own.
 */
export const SH: string = String.raw`
# _circuit_candidates TOOL CURRENT [WORD BEFORE]...
_circuit_candidates() {
  [ -n "\${ZSH_VERSION-}" ] && emulate -L sh
  local tool=$1 current=$2 command word name kind about wanted= dashes= operands=0
  local -a finding
  shift 2
  if [ $# -eq 0 ]; then
    _circuit_rows '' "$current"
    return
  fi
  command=$1
  shift
  while [ $# -gt 0 ]; do
    word=$1
    shift
    case $dashes$word in
      --) dashes=yes ;;
      -?*)
        name=\${word#-} name=-\${name#-}
        kind=$(_circuit_kind "$command" "\${name%%=*}")
        case $word in
          *=*) ;;
          *)
            if [ -n "$kind" ] && [ "$kind" != - ]; then
              if [ $# -eq 0 ]; then
                wanted=$kind
                break
              fi
              word=$word=$1
              shift
            fi
            ;;
        esac
        case $name in
          -d | -d=* | -dial* | -discover* | -hmac*) finding+=("$word") ;;
        esac
        ;;
      *) operands=$((operands + 1)) ;;
    esac
  done
  if [ -z "$wanted" ]; then
    case $dashes$current in
      -*=*)
        name=\${current#-} name=-\${name#-}
        wanted=$(_circuit_kind "$command" "\${name%%=*}")
        current=\${current#*=}
        ;;
      -*)
        _circuit_rows "$command" "$current"
        return
        ;;
      *)
        wanted=$(_circuit_kind "$command" "+$((operands + 1))")
        [ -n "$wanted" ] || wanted=$(_circuit_kind "$command" '+*')
        ;;
    esac
  fi
  case $wanted in
    =*) for word in \${wanted#=}; do
      case $word in "$current"*) printf '%s\n' "$word" ;; esac
    done ;;
    path) _circuit_paths "$current" ;;
    selector)
      local before=
      case $current in *,*) before=\${current%,*}, current=\${current##*,} ;; esac
      _circuit_paths "\${current:-/}" | while IFS= read -r word; do printf '%s\n' "$before$word"; done
      ;;
    file | directory | command) printf ':%s\n' "$wanted" ;;
  esac
}

# Rows of the table that begin with what is typed, one dash or two.
_circuit_rows() {
  local typed name kind about
  typed=$2
  case $typed in --*) typed=\${typed#-} ;; esac
  _circuit_table "$1" | while IFS='	' read -r name kind about; do
    case $name in
      +*) ;;
      "$typed"*)
        case $2 in --*) name=-$name ;; esac
        printf '%s\t%s\n' "$name" "$about"
        ;;
    esac
  done
}

# The kind in the row of the table that has this name.
_circuit_kind() {
  local name kind about
  _circuit_table "$1" | while IFS='	' read -r name kind about; do
    [ "$name" = "$2" ] && printf '%s\n' "$kind"
  done
}

# Paths below the last slash that is typed; uses the caller's tool and finding.
_circuit_paths() {
  local typed=$1 folder=/ word
  case $typed in */*) folder=\${typed%/*} ;; esac
  "$tool" ls "\${finding[@]}" -timeout 1 -- "\${folder:-/}" 2>/dev/null </dev/null |
    while IFS= read -r word; do
      case $word in "$typed"*) printf '%s\n' "$word" ;; esac
    done
}`.replaceAll("\\${", "${");

/** For bash: what is left of the cursor goes in, and the candidates come out. */
export const BASH: string = String.raw`
_circuit() {
  local line=\${COMP_LINE:0:COMP_POINT} current before candidate
  local -a typed
  # Not COMP_WORDS: they are cut at colons and equals signs.
  read -a typed <<< "$line"
  case $line in *[[:space:]]) typed+=('') ;; esac
  current=\${typed[\${#typed[@]} - 1]}
  unset 'typed[\${#typed[@]} - 1]'
  # What bash puts in the place of the word has to begin behind its last colon or equals sign.
  before=
  case $current in *[:=]*) before=\${current%"\${current##*[:=]}"} ;; esac
  COMPREPLY=()
  while IFS= read -r candidate; do
    candidate=\${candidate%%'	'*}
    case $candidate in
      :*)
        # Bash quotes what is special in names of files, and puts a slash behind folders.
        [ "$candidate" = :command ] || compopt -o filenames 2>/dev/null
        while IFS= read -r candidate; do
          COMPREPLY+=("$candidate")
        done < <(compgen -A "\${candidate#:}" -- "\${current#"$before"}")
        ;;
      /*)
        compopt -o nospace 2>/dev/null
        case $candidate in *[!A-Za-z0-9/_.,:=@%+-]*) printf -v candidate %q "$candidate" ;; esac
        COMPREPLY+=("\${candidate#"$before"}")
        ;;
      *) COMPREPLY+=("\${candidate#"$before"}") ;;
    esac
  done < <(_circuit_candidates "\${typed[0]}" "$current" "\${typed[@]:1}")
}
complete -F _circuit circuit`.replaceAll("\\${", "${");

/** For zsh. */
export const ZSH: string = String.raw`
_circuit() {
  local line
  local -a values shown paths
  for line in "\${(@f)$(_circuit_candidates "$words[1]" "\${(Q)PREFIX}" "\${(@Q)words[2,CURRENT-1]}")}"; do
    case $line in
      '') ;;
      :file) compset -P '*='; _files ;;
      :directory) compset -P '*='; _files -/ ;;
      :command) _command_names -e ;;
      /*) paths+=("$line") ;;
      *)
        values+=("\${line%%$'\t'*}")
        shown+=("\${line/$'\t'/  -- }")
        ;;
    esac
  done
  (( $#paths )) && compadd -S '' -a paths
  (( $#values )) && compadd -l -d shown -a values
}
if [[ $funcstack[1] == _circuit ]]; then
  _circuit "$@"
else
  compdef _circuit circuit
fi`.replaceAll("\\${", "${");

/** For fish. */
export const FISH: string = String.raw`
function __circuit_kind
  for row in (__circuit_table $argv[1])
    set -l fields (string split \t -- $row)
    test "$fields[1]" = "$argv[2]"; and echo $fields[2]
  end
end

# Rows of the table that begin with what is typed, one dash or two.
function __circuit_rows
  set -l dash ''
  string match -q -- '--*' "$argv[2]"; and set dash -
  for row in (__circuit_table $argv[1])
    set -l fields (string split \t -- $row)
    string match -q -- '+*' $fields[1]; or printf '%s\t%s\n' $dash$fields[1] $fields[3]
  end
end

# Paths below the last slash that is typed; then the tool, and the flags for finding a server.
function __circuit_paths
  set -l folder (string replace -r '/[^/]*$' '' -- $argv[1])
  test -n "$folder"; or set folder /
  string match -q -- '/*' "$argv[1]"; or set folder /
  $argv[2] ls $argv[3..] -timeout 1 -- $folder 2>/dev/null </dev/null
end

function __circuit_candidates
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l tool $words[1]
  if test (count $words) -eq 1
    __circuit_rows '' $current
    return
  end
  set -l command $words[2]
  set -l finding
  set -l wanted
  set -l dashes
  set -l operands 0
  set -l i 3
  while test $i -le (count $words)
    set -l word $words[$i]
    if test -z "$dashes"; and test "$word" = --
      set dashes yes
    else if test -z "$dashes"; and string match -q -r -- '^-.' $word
      set -l name (string replace -r -- '^--?([^=]*).*' '-$1' $word)
      set -l kind (__circuit_kind $command $name)
      if not string match -q -- '*=*' $word; and test -n "$kind"; and test "$kind" != -
        set i (math $i + 1)
        if test $i -gt (count $words)
          set wanted $kind
          break
        end
        set word $word=$words[$i]
      end
      contains -- $name -d -dial -discover -hmac; and set -a finding $word
    else
      set operands (math $operands + 1)
    end
    set i (math $i + 1)
  end
  set -l before ''
  if test -z "$wanted"
    if test -z "$dashes"; and string match -q -r -- '^-.*=' $current
      set wanted (__circuit_kind $command (string replace -r -- '^--?([^=]*).*' '-$1' $current))
      set before (string replace -r -- '=.*' '=' $current)
      set current (string replace -r -- '^[^=]*=' '' $current)
    else if test -z "$dashes"; and string match -q -- '-*' $current
      __circuit_rows $command $current
      return
    else
      set wanted (__circuit_kind $command +(math $operands + 1))
      test -n "$wanted"; or set wanted (__circuit_kind $command '+*')
    end
  end
  switch "$wanted"
    case '=*'
      string split ' ' -- (string sub -s 2 -- $wanted)
    case path
      __circuit_paths "$current" $tool $finding
    case selector
      set before (string match -r -- '^.*,' $current)
      printf '%s\n' "$before"(__circuit_paths / $tool $finding)
    case file
      printf '%s\n' $before(__fish_complete_path $current)
    case directory
      printf '%s\n' $before(__fish_complete_directories $current)
    case command
      __fish_complete_command
  end
end

complete -c circuit -f -a '(__circuit_candidates)'`;
