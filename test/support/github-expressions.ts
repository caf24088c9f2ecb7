import { data, Evaluator, Lexer, Parser } from '@actions/expressions';

/** What expressions know, by name. */
export type Values = Readonly<Record<string, unknown>>;

/** Whether a condition holds; one that does not speak of the status asks for success. */
export function holds(
  condition: string | undefined,
  context: Values,
  failed: boolean,
  skipped: boolean,
): boolean {
  const text = (condition ?? '').replace(/^\s*\$\{\{(.*)\}\}\s*$/s, '$1').trim();
  const bool = (value: boolean) => () => new data.BooleanData(value);
  const status = {
    always: bool(true),
    failure: bool(failed),
    success: bool(!failed && !skipped),
    cancelled: bool(false),
  };
  const speaks = Object.keys(status).some((name) => text.includes(`${name}()`));
  const whole = speaks ? text : text === '' ? 'success()' : `success() && (${text})`;
  return (
    evaluate(whole, context, status).coerceString() !== 'false' && truthy(evaluate(whole, context, status))
  );
}

function truthy(value: data.ExpressionData): boolean {
  const text = value.coerceString();
  return text !== '' && text !== 'false' && text !== '0';
}

export function allFilled(values: Values, context: Values): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, filled(String(value ?? ''), context)]),
  );
}

/** A text with its expressions evaluated. */
export function filled(text: string, context: Values): string {
  return text.replaceAll(/\$\{\{(.+?)\}\}/gs, (_, expression: string) =>
    evaluate(expression, context, {}).coerceString(),
  );
}

export function evaluate(
  expression: string,
  context: Values,
  functions: Readonly<Record<string, () => data.ExpressionData>>,
): data.ExpressionData {
  const { tokens } = new Lexer(expression.trim()).lex();
  const infos = Object.entries(functions).map(([name, call]) => ({ name, minArgs: 0, maxArgs: 0, call }));
  const parsed = new Parser(tokens, Object.keys(context), infos).parse();
  const known = new Map(infos.map((info) => [info.name, info]));
  return new Evaluator(parsed, dataOf(context) as data.Dictionary, known).evaluate();
}

function dataOf(value: unknown): data.ExpressionData {
  if (typeof value === 'boolean') return new data.BooleanData(value);
  if (typeof value === 'number') return new data.NumberData(value);
  if (typeof value === 'string') return new data.StringData(value);
  if (value === null || value === undefined) return new data.Null();
  const pairs = Object.entries(value).map(([key, each]) => ({ key, value: dataOf(each) }));
  return new data.Dictionary(...pairs);
}
