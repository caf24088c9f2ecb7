# For the input code-command of a rollback, for the service odoo of a Compose project in /opt/odoo.
cd /opt/odoo || exit
printf '%s\n' "$ODOO_CODE_IMAGES" | while IFS="$(printf '\t')" read -r service name id digest; do
  [ "$service" = odoo ] || continue
  docker image inspect "$id" >/dev/null 2>&1 || docker pull --quiet "$digest" || exit
  touch .env && sed -i '/^ODOO_IMAGE=/d' .env && echo "ODOO_IMAGE=$id" >>.env || exit
done && docker compose up --no-start --no-deps odoo
