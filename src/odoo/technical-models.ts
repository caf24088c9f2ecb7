/**
 * Models whose records nobody enters as such: Odoo's own (views, access rules, logs, scheduled actions), and messages
 * that follow from what is entered.
 */
const TECHNICAL =
  /^(?:ir|base|bus|web|web_editor|web_tour|report|digest|iap|mail|discuss|rating|sms|snailmail|phone|privacy|onboarding|spreadsheet|queue|auth_totp|res\.(?:users\.(?:log|settings|apikeys|identitycheck)|config|groups|lang|currency))(?:\.|$)/;

/** Models of `mail` and the like whose records people do enter. */
const ENTERED = new Set(['mail.activity', 'mail.template', 'rating.rating', 'res.currency.rate']);

/** Whether a model's records are not worth naming to a person who decides about a rollback. */
export const isTechnical = (model: string): boolean => TECHNICAL.test(model) && !ENTERED.has(model);
