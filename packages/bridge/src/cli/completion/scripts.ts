/** Scripts for shells: each asks `comfy-bridge complete-words` for candidates, and for paths where it says `:file`. */
export const completionScripts = {
  bash: `# comfy-bridge completion for bash (3.2 and later): source <(comfy-bridge completion bash)
_comfy_bridge() {
  local words=() last='' word value rest piece i files=0
  # Bash takes words apart at = and :, which may be part of them.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ \${#words[@]} -gt 0 && ( $word == [=:]* || $last == *[=:] ) ]]; then
      last=$last$word
      words[\${#words[@]}-1]=$last
    else
      last=$word
      words+=("$word")
    fi
  done
  piece=\${last##*[=:]}
  COMPREPLY=()
  while IFS=$'\\t' read -r value rest; do
    if [[ $value == :file ]]; then files=1; continue; fi
    [[ $value == *= ]] && compopt -o nospace 2>/dev/null
    value=\${value:\${#last}-\${#piece}}
    if [[ $value == *= ]]; then
      printf -v value '%q=' "\${value%=}"
    else
      printf -v value '%q' "$value"
    fi
    COMPREPLY+=("$value")
  done < <(comfy-bridge complete-words -- "\${words[@]}" 2>/dev/null)
  if ((files)); then
    [[ $piece == @* ]] && rest=@ || rest=''
    while IFS= read -r value; do COMPREPLY+=("$rest$value"); done < <(compgen -f -- "\${piece#@}")
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _comfy_bridge comfy-bridge
`,
  zsh: `#compdef comfy-bridge
# comfy-bridge completion for zsh: source <(comfy-bridge completion zsh), after compinit
_comfy_bridge() {
  local line value files=0
  local -a items open
  while IFS= read -r line; do
    if [[ $line == :file ]]; then files=1; continue; fi
    value=\${line%%$'\\t'*}
    line="\${value//:/\\\\:}:\${line#*$'\\t'}"
    if [[ $value == *= ]]; then open+=("$line"); else items+=("$line"); fi
  done < <(comfy-bridge complete-words -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( \${#items} )) && _describe -V 'comfy-bridge' items
  (( \${#open} )) && _describe -V 'comfy-bridge' open -S ''
  if (( files )); then
    compset -P '*='
    compset -P '@'
    _files
  fi
}
compdef _comfy_bridge comfy-bridge
`,
  fish: `# comfy-bridge completion for fish: comfy-bridge completion fish | source
function __comfy_bridge_words
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    comfy-bridge complete-words -- $before[2..-1] "$current" 2>/dev/null
end
function __comfy_bridge_wants_files
    __comfy_bridge_words | string match -q ':file'
end
complete -c comfy-bridge -f
complete -c comfy-bridge -k -a '(__comfy_bridge_words | string match -v ":file")'
complete -c comfy-bridge -n __comfy_bridge_wants_files -F
`,
} as const;
