# For the input code-command of a rollback, if the code is in git checkouts.
printf '%s\n' "$ODOO_CODE_CHECKOUTS" | while IFS="$(printf '\t')" read -r path commit branch; do
  git -C "$path" cat-file -e "$commit^{commit}" 2>/dev/null || git -C "$path" fetch --quiet origin "$commit" || exit
  # When the rollback is undone, check out the branch again.
  tip=$(git -C "$path" rev-parse --verify --quiet "refs/heads/$branch")
  if [ "$ODOO_CODE_DIRECTION" = undo ] && [ "$tip" = "$commit" ]; then commit=$branch; fi
  git -C "$path" checkout --quiet "$commit" || exit
done
