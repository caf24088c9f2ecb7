import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{inputsOf}from"./chunk-WZC4YVML.mjs";import"./chunk-QHBHIKC2.mjs";import"./chunk-HC2JBJ2G.mjs";import"./chunk-BSCRPUYD.mjs";import"./chunk-TPRZHSDK.mjs";import"./chunk-K3TCARYK.mjs";import"./chunk-YWNVDOOL.mjs";import"./chunk-CRKJTY75.mjs";import"./chunk-CQDBGHMO.mjs";import"./chunk-SZCAU5BR.mjs";import"./chunk-XIFTJ566.mjs";import"./chunk-M3F4M37L.mjs";import"./chunk-QBJAGKVI.mjs";import"./chunk-7W6XQCAV.mjs";import"./chunk-ICUYS4HK.mjs";import"./chunk-CV7MYJBH.mjs";import"./chunk-7QIUTYPQ.mjs";import"./chunk-TG3N3CS7.mjs";import"./chunk-2WC5DT2H.mjs";import"./chunk-D5TRTRIY.mjs";import"./chunk-FU2UL4LO.mjs";import"./chunk-LJN3SBEV.mjs";import"./chunk-A2NXOZP5.mjs";import"./chunk-QLIBBLPA.mjs";import{shells}from"./chunk-LRAC7ZA4.mjs";import{canBeNegated,commandWords,extraOptions,isVariableOnly,wordsOf}from"./chunk-LGKYXKHP.mjs";import"./chunk-GQIZQGKJ.mjs";import"./chunk-D6FRKJ7Z.mjs";import"./chunk-GZ62C3HN.mjs";import"./chunk-N26VXKPV.mjs";import{choices}from"./chunk-UF4RQ4ZW.mjs";import"./chunk-723VPV7R.mjs";import"./chunk-RC26ITII.mjs";import"./chunk-PPVGO4FB.mjs";import"./chunk-WSURMHKY.mjs";import"./chunk-CG47S3TU.mjs";import{__name}from"./chunk-WV7T2FTI.mjs";function completionScript(shell){switch(shell){case"bash":return bash();case"zsh":return zsh();default:return fish()}}__name(completionScript,"completionScript");var ownCommands={help:"what a command takes",completion:"a script for a shell",version:"the version"},names=__name(()=>[...choices.command,...Object.keys(ownCommands)],"names"),purposeOf=__name(name=>name in commandWords?commandWords[name].purpose:ownCommands[name],"purposeOf");function optionsOf(command){let inputs=inputsOf(command).filter(input=>input.name!=="command"&&!isVariableOnly(input)),extras=Object.entries(extraOptions).map(([name,{value,brief}])=>({flag:`--${name}`,brief,value:value===""?void 0:"file"}));return[...inputs.flatMap(completed),...extras,{flag:"--help",brief:"what it takes",value:void 0}]}__name(optionsOf,"optionsOf");function completed(input){let{value,brief}=wordsOf(input),follows=input.choices??(value===""?void 0:value==="FILE"?"file":"any"),option={flag:`--${input.name}`,brief,value:follows},negated={flag:`--no-${input.name}`,brief:`not: ${brief}`,value:void 0};return canBeNegated(input)?[option,negated]:[option]}__name(completed,"completed");function allOptions(){let all=choices.command.flatMap(optionsOf);return[...new Map(all.map(option=>[option.flag,option])).values()]}__name(allOptions,"allOptions");function bash(){let options=allOptions(),ofChoices=options.filter(({value})=>Array.isArray(value)),flagsOf=__name(wanted=>options.filter(({value})=>value===wanted).map(({flag})=>flag),"flagsOf"),cases=choices.command.map(name=>`    ${name}) words='${optionsOf(name).map(({flag})=>flag).join(" ")}' ;;`);return`# bash completion of odoo-backup: source <(odoo-backup completion bash)
_odoo_backup() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words=''
  COMPREPLY=()
  case "$before" in
${ofChoices.map(({flag,value})=>`    ${flag}) COMPREPLY=($(compgen -W '${value.join(" ")}' -- "$current")); return ;;`).join(`
`)}
    ${flagsOf("file").join("|")}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${flagsOf("any").join("|")}) return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${names().join(" ")}' -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
    help) words='${choices.command.join(" ")}' ;;
    completion) words='${shells.join(" ")}' ;;
${cases.join(`
`)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _odoo_backup odoo-backup
`}__name(bash,"bash");var quoted=__name(text=>text.replaceAll(/['[\]:\\]/g," "),"quoted");function zsh(){let cases=choices.command.map(name=>{let specs=optionsOf(name).map(({flag,brief,value})=>{let what=value===void 0?"":value==="file"?":file:_files":value==="any"?":value:":`:word:(${value.join(" ")})`;return`        '${flag}${value===void 0?"":"="}[${quoted(brief)}]${what}'`});return`      ${name}) _arguments -s \\
${specs.join(` \\
`)} ;;`});return`#compdef odoo-backup
# zsh completion of odoo-backup: source <(odoo-backup completion zsh)
_odoo_backup() {
  local line state
  _arguments -C '1:command:->command' '*::argument:->argument'
  case "$state" in
    command)
      local -a commands=(
${names().map(name=>`        '${name}:${quoted(purposeOf(name))}'`).join(`
`)}
      )
      _describe command commands ;;
    argument)
      case "$line[1]" in
      help) _values command ${choices.command.join(" ")} ;;
      completion) _values shell ${shells.join(" ")} ;;
${cases.join(`
`)}
      esac ;;
  esac
}
compdef _odoo_backup odoo-backup
`}__name(zsh,"zsh");function fish(){let first="__fish_use_subcommand",commands=names().map(name=>`complete -c odoo-backup -f -n ${first} -a ${name} -d '${quoted(purposeOf(name))}'`),after=__name(name=>`'__fish_seen_subcommand_from ${name}'`,"after"),options=choices.command.flatMap(name=>optionsOf(name).map(({flag,brief,value})=>{let follows=value===void 0?"":value==="file"?" -r -F":value==="any"?" -x":` -x -a '${value.join(" ")}'`;return`complete -c odoo-backup -n ${after(name)} -l ${flag.slice(2)}${follows} -d '${quoted(brief)}'`}));return`# fish completion of odoo-backup: odoo-backup completion fish | source
complete -c odoo-backup -f
${commands.join(`
`)}
complete -c odoo-backup -f -n ${after("help")} -a '${choices.command.join(" ")}'
complete -c odoo-backup -f -n ${after("completion")} -a '${shells.join(" ")}'
${options.join(`
`)}
`}__name(fish,"fish");export{completionScript};
