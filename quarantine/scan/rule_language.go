package scan

// The same orders in other languages; general knowledge of how they are said.
var languageRules = []rule{
	match("override-elsewhere", 1.2, anywhere, "tells the model to drop its instructions, or to be silent, in another language",
		`(忽略|无视|忘记).{0,6}(之前|以上|先前|所有|前面)|不要(告诉|通知|提及).{0,4}(用户|任何人)?|(前|以前|上記|これまで)の(指示|命令).{0,3}(を)?(無視|忘れ)|ユーザー(に|には)(言わ|知らせ|伝え)|`+
			`이전.{0,6}(지시|명령).{0,6}(무시|잊)|사용자에게.{0,6}(말하지|알리지)|игнорируй\w*|(не|никогда не) (говори|сообща|упомина)\w*|забуд\w+ (все|предыдущ)|`+
			`ignora(r)? (todas? )?(las |les |le |as )?(instru\w+|istruzioni)( previas| anteriores| precedenti)?|no (le )?(digas|menciones|informes)|ignore[rz]? (toutes )?(les|vos) instructions|ne (dis|dites|mentionne\w*) (pas|rien)|`+
			`ignorier\w* (alle )?(vorherigen |bisherigen )?(anweisungen|regeln)|(sag|erwähne|informiere)\w* (dem nutzer|den benutzer|das|es) nicht|ignore (todas )?as instruções|não (diga|mencione|informe)|`+
			`تجاهل.{0,10}(التعليمات|السابقة)|لا تخبر|अनदेखा.{0,10}(निर्देश)`),
}
