/**
 * Functions of sh that look into a checkout of git which somebody else may have written. The settings and hooks of a
 * checkout name programs (core.fsmonitor, filters, core.sshCommand), so they are never read by a git that acts on
 * them: git gets a folder of ours as GIT_DIR, and of the checkout its objects, its index and its files alone. HEAD and
 * branches are read as the text that they are: gitrepository-layout(5).
 */
export const GIT_FUNCTIONS = `
export LC_ALL=C
tmp=$(mktemp -d) || exit
trap 'rm -rf -- "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p -- "$tmp/git/objects" "$tmp/git/refs" || exit

first_line() { [ -f "$1" ] && head -c 4000 -- "$1" 2>/dev/null | head -n 1; }

# checkout FOLDER: sets top, git and common; returns 1 where the folder lies in no checkout, 2 where it may not be seen.
checkout() {
  if ! top=$(cd -P -- "$1" 2>/dev/null && pwd -P); then
    there=$1
    while [ ! -e "$there" ]; do there=\${there%/*}; there=\${there:-/}; done
    [ "$there" != "$1" ] && [ -x "$there" ] && return 1
    return 2
  fi
  while [ ! -e "$top/.git" ]; do
    case $top in ''|/) return 1;; esac
    top=\${top%/*}
  done
  [ -n "$top" ] || return 1
  git=$top/.git
  if [ -f "$git" ]; then
    line=$(first_line "$git")
    case $line in 'gitdir: '*) git=\${line#gitdir: };; *) return 1;; esac
    case $git in /*) ;; *) git=$top/$git;; esac
  fi
  common=$git
  line=$(first_line "$git/commondir")
  case $line in '') ;; /*) common=$line;; *) common=$git/$line;; esac
  [ -r "$git/HEAD" ] || return 2
}

# head_of: sets ref (empty where HEAD is a commit) and commit.
head_of() {
  ref= commit=$(first_line "$git/HEAD")
  case $commit in
    'ref: refs/'*) ref=\${commit#ref: } commit=;;
    *[!0-9a-f]*) return 1;;
    *) return 0;;
  esac
  case $ref in *..*) return 1;; esac
  commit=$(first_line "$common/$ref")
  if [ -z "$commit" ] && [ -f "$common/packed-refs" ]; then
    while read -r hash name; do
      [ "$name" = "$ref" ] && commit=$hash && break
    done <"$common/packed-refs"
  fi
  case $commit in ''|*[!0-9a-f]*) return 1;; esac
}

# safely WORDS...: git on the objects, the index and the files of the checkout, with settings of our own.
safely() {
  format= version=0
  [ \${#commit} -lt 64 ] || { version=1; format='[extensions]
    objectFormat = sha256'; }
  printf '[core]\\n repositoryformatversion = %s\\n bare = false\\n%s\\n' "$version" "$format" >"$tmp/git/config"
  printf '%s\\n' "$commit" >"$tmp/git/HEAD"
  set -- timeout 20 git -c core.fsmonitor=false -c core.hooksPath=/dev/null "$@"
  [ ! -f "$common/shallow" ] || set -- "GIT_SHALLOW_FILE=$common/shallow" "$@"
  (cd -- "$top" && exec env -i PATH="$PATH" LC_ALL=C HOME="$tmp" GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null \\
    GIT_DIR="$tmp/git" GIT_WORK_TREE="$top" GIT_INDEX_FILE="$git/index" GIT_OBJECT_DIRECTORY="$common/objects" \\
    GIT_OPTIONAL_LOCKS=0 GIT_TERMINAL_PROMPT=0 GIT_ALLOW_PROTOCOL= GIT_NO_LAZY_FETCH=1 GIT_NO_REPLACE_OBJECTS=1 "$@")
}

# Root looks at what is root's alone: git reads what others have written only with their rights.
may_ask() { command -v git >/dev/null && { [ "$(id -u)" != 0 ] || [ "$(stat -c %u -- "$git")" = 0 ]; }; }
`;
