import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
import{damaged2 as damaged,inOneLine,programMajor}from"./chunk-6ROHRLSY.mjs";import{__name}from"./chunk-WV7T2FTI.mjs";import{randomBytes}from"node:crypto";var ENCODING=new RegExp(`^SET client_encoding = '(${["SQL_ASCII|EUC_(?:JP|CN|KR|TW|JIS_2004)|UTF8|MULE_INTERNAL|LATIN(?:[1-9]|10)|WIN(?:125[0-8]|866|874)","KOI8[RU]|ISO_8859_[5-8]|SJIS|BIG5|GBK|UHC|GB18030|JOHAB|SHIFT_JIS_2004"].join("|")})';
$`);function sessionOf(name,contents){let[encoding,conformingStrings]=["SQL_ASCII",!1],searchPath;for(let{kind,definition=""}of contents.entries())if(kind==="ENCODING"){let found=ENCODING.exec(definition)?.[1];if(found===void 0)throw damaged(name,"it is in an unknown encoding");encoding=found}else if(kind==="STDSTRINGS"){let found=/^[^']*'(on|off)'/.exec(definition)?.[1];if(found===void 0)throw damaged(name,"it does not say what its strings are");conformingStrings=found==="on"}else kind==="SEARCHPATH"&&(searchPath=definition);return{encoding,conformingStrings,searchPath,key:isRestricted(contents.head)?randomKey():void 0}}__name(sessionOf,"sessionOf");var RESTRICTED={13:22,14:19,15:14,16:10,17:6};function isRestricted({program=""}){let[,major,minor]=/^(\d+)(?:\.(\d+))?/.exec(program)??[];return Number(major)>=18||Number(minor)>=(RESTRICTED[Number(major)]??1/0)}__name(isRestricted,"isRestricted");var randomKey=__name(()=>randomBytes(32).toString("hex").slice(1),"randomKey");function beginning(session,head){let{encoding,conformingStrings,searchPath="",key}=session,setting=__name((name,value)=>`SET ${name} = ${value};
`,"setting");return[`--
-- PostgreSQL database dump
--

`,key===void 0?"":`\\restrict ${key}

`,head.server===void 0?"":`-- Dumped from database version ${head.server}
`,head.program===void 0?"":`-- Dumped by pg_dump version ${head.program}
`,`
`,setting("statement_timeout","0"),setting("lock_timeout","0"),setting("idle_in_transaction_session_timeout","0"),programMajor(head)>=17?setting("transaction_timeout","0"):"",setting("client_encoding",`'${encoding}'`),setting("standard_conforming_strings",conformingStrings?"on":"off"),searchPath,setting("check_function_bodies","false"),setting("xmloption","content"),setting("client_min_messages","warning"),conformingStrings?"":setting("escape_string_warning","off"),setting("row_security","off"),`
`].join("")}__name(beginning,"beginning");var ending=__name(({key})=>`--
-- PostgreSQL database dump complete
--

${key===void 0?"":`\\unrestrict ${key}

`}`,"ending");var KEY_WORDS=`
all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both
case cast char character check coalesce collate collation column concurrently constraint create cross
current_catalog current_date current_role current_schema current_time current_timestamp current_user dec
decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign
freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect
interval into is isnull join lateral leading least left like limit localtime localtimestamp national natural
nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay
placing position precision primary real references returning right row select session_user setof similar
smallint some substring symmetric table tablesample then time timestamp to trailing treat trim true union
unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement
xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
`,LATER=[[16,"json_array json_arrayagg json_object json_objectagg system_user"],[17,"json json_exists json_query json_scalar json_serialize json_table json_value merge_action"]],since=new Map;for(let[major,words]of[[13,KEY_WORDS],...LATER])for(let word of words.trim().split(/\s+/))since.set(word,major);function dumpedName(name,major){return/^[a-z_][a-z0-9_]*$/.test(name)&&(since.get(name)??1/0)>major?name:`"${name.replaceAll('"','""')}"`}__name(dumpedName,"dumpedName");var SqlWriter=class{static{__name(this,"SqlWriter")}#name;#contents;#major;#tablespace;#accessMethod;#schema;#hasSearchPath;constructor(name,contents,hasSearchPath){this.#name=name,this.#contents=contents,this.#major=programMajor(contents.head),this.#hasSearchPath=hasSearchPath}*entry(entry,title){let{name,kind,schema="-",tablespace="",accessMethod,isPartitioned}=entry;yield*this.#settings(entry);let place=tablespace===""?"":`; Tablespace: ${inOneLine(tablespace)}`;if(yield`--
-- ${`${title}Name: ${inOneLine(name)}; Type: ${kind}; Schema: ${inOneLine(schema)}`}; Owner: -${place}
--

`,yield*this.#definition(entry),!isPartitioned||accessMethod===void 0)return;yield`ALTER TABLE ${entry.schema?`${this.#quoted(entry.schema)}.${this.#quoted(name)}`:this.#quoted(name)} SET ACCESS METHOD ${this.#quoted(accessMethod)};

`}*data({schema,copy,kind}){kind==="BLOBS"||kind==="BLOB COMMENTS"?yield*this.#searchPath("pg_catalog"):(yield*this.#searchPath(schema),yield copy??"")}*#settings({schema,tablespace,accessMethod,isPartitioned}){yield*this.#searchPath(schema),tablespace!==void 0&&tablespace!==this.#tablespace&&(yield`SET default_tablespace = ${tablespace===""?"''":this.#quoted(tablespace)};

`,this.#tablespace=tablespace),!(isPartitioned||accessMethod===void 0||accessMethod===this.#accessMethod)&&(yield`SET default_table_access_method = ${this.#quoted(accessMethod)};

`,this.#accessMethod=accessMethod)}*#searchPath(schema){this.#hasSearchPath||!schema||schema===this.#schema||(yield`SET search_path = ${this.#quoted(schema)}${schema==="pg_catalog"?"":", pg_catalog"};

`,this.#schema=schema)}*#definition(entry){let{kind,name,definition=""}=entry,isComment=this.#major>=15&&definition.startsWith("--");kind==="SCHEMA"&&!isComment?yield`CREATE SCHEMA ${this.#quoted(name)};


`:this.#major>=17&&kind==="BLOB METADATA"?yield*forEach(definition,"SELECT pg_catalog.lo_create('","')"):this.#major>=17&&kind==="ACL"&&name.startsWith("LARGE OBJECTS")?yield*this.#privileges(entry):definition!==""&&(yield`${definition}

`)}*#privileges({definition="",dependsOn}){let objects=this.#contents.largeObjects(dependsOn);if(!objects)throw damaged(this.#name,"it has privileges of large objects that are not in it");for(let statement of statementsOf(definition)){let[begin="",end]=statement.split(LARGE_OBJECT,2);if(end===void 0)throw damaged(this.#name,"it has privileges of large objects that name none");yield*forEach(objects.definition??"",`${begin}LARGE OBJECT `,end)}}#quoted=__name(name=>dumpedName(name,this.#major),"#quoted")},LARGE_OBJECT=/LARGE OBJECT \d+/;function*statementsOf(sql){let begin=0,isQuoted=!1;for(let at=0;at<sql.length;at++){let sign=sql[at];sign==='"'&&(isQuoted=!isQuoted),!(sign!==";"||isQuoted)&&(yield sql.slice(begin,at).replace(/^[ \t\n\v\f\r]+/,""),begin=at+1)}}__name(statementsOf,"statementsOf");function*forEach(lines,before,after){let at=0;for(let end=lines.indexOf(`
`);end>=0;end=lines.indexOf(`
`,at))yield`${before}${lines.slice(at,end)}${after};
`,at=end+1;yield`
`}__name(forEach,"forEach");export{sessionOf,beginning,ending,SqlWriter};
