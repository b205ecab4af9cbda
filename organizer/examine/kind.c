#include "examine/kind.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

#define EDIT   KIND_IS_EDITABLE
#define PROG   KIND_IS_PROGRAM
#define MACROS KIND_IS_MACROS
#define MAIL   KIND_IS_MAIL
#define IMAGE  KIND_IS_IMAGE
#define AUDIO  KIND_IS_AUDIO
#define VIDEO  KIND_IS_VIDEO
#define TEXT   KIND_IS_TEXT
#define BOX    KIND_IS_CONTAINER

#define OOXML "application/vnd.openxmlformats-officedocument."
#define ODF   "application/vnd.oasis.opendocument."

/* clang-format off */
static const struct kind_info kinds[KIND_COUNT] = {
    [KIND_UNKNOWN] = {"unknown", "application/octet-stream", "", "", "a file of unknown type", 0},
    [KIND_EMPTY] = {"empty", "inode/x-empty", "", "", "an empty file", 0},
    [KIND_PDF] = {"pdf", "application/pdf", "pdf", "pdf", "a PDF document", 0},
    [KIND_DOC] = {"doc", "application/msword", "doc", "doc dot wiz wbk", "a Word 97 document", EDIT},
    [KIND_DOCX] = {"docx", OOXML "wordprocessingml.document", "docx", "docx", "a Word document", EDIT},
    [KIND_DOCM] = {"docm", "application/vnd.ms-word.document.macroEnabled.12", "docm", "docm dotm",
                   "a Word document with macros", EDIT | MACROS},
    [KIND_DOTX] = {"dotx", OOXML "wordprocessingml.template", "dotx", "dotx", "a Word template", EDIT},
    [KIND_XLS] = {"xls", "application/vnd.ms-excel", "xls", "xls xlt xla xlw",
                  "an Excel 97 workbook", EDIT},
    [KIND_XLSX] = {"xlsx", OOXML "spreadsheetml.sheet", "xlsx", "xlsx xltx", "an Excel workbook", EDIT},
    [KIND_XLSM] = {"xlsm", "application/vnd.ms-excel.sheet.macroEnabled.12", "xlsm", "xlsm xltm xlam",
                   "an Excel workbook with macros", EDIT | MACROS},
    [KIND_XLSB] = {"xlsb", "application/vnd.ms-excel.sheet.binary.macroEnabled.12", "xlsb", "xlsb",
                   "a binary Excel workbook", EDIT | MACROS},
    [KIND_PPT] = {"ppt", "application/vnd.ms-powerpoint", "ppt", "ppt pps pot ppa",
                  "a PowerPoint 97 presentation", EDIT},
    [KIND_PPTX] = {"pptx", OOXML "presentationml.presentation", "pptx", "pptx ppsx potx",
                   "a PowerPoint presentation", EDIT},
    [KIND_PPTM] = {"pptm", "application/vnd.ms-powerpoint.presentation.macroEnabled.12", "pptm",
                   "pptm ppsm potm ppam", "a PowerPoint presentation with macros", EDIT | MACROS},
    [KIND_ODT] = {"odt", ODF "text", "odt", "odt ott odm fodt", "an OpenDocument text", EDIT},
    [KIND_ODS] = {"ods", ODF "spreadsheet", "ods", "ods ots fods", "an OpenDocument spreadsheet", EDIT},
    [KIND_ODP] = {"odp", ODF "presentation", "odp", "odp otp fodp odg otg",
                  "an OpenDocument presentation", EDIT},
    [KIND_RTF] = {"rtf", "text/rtf", "rtf", "rtf doc dot wri", "a Rich Text document", EDIT},
    [KIND_WPD] = {"wpd", "application/vnd.wordperfect", "wpd", "wpd wp wp4 wp5 wp6 wpt frm doc",
                  "a WordPerfect document", EDIT},
    [KIND_TEXT] = {"text", "text/plain", "txt",
                   "txt text asc log ini cfg conf nfo diz tsv tab prn lst srt sub tex bib rst org "
                   "dat opt lfp dii out err properties toml c h cpp hpp java css sql doc xls",
                   "a plain text", EDIT | TEXT},
    [KIND_CSV] = {"csv", "text/csv", "csv", "csv tsv tab txt prn dat xls", "a table as CSV",
                  EDIT | TEXT},
    [KIND_HTML] = {"html", "text/html", "html", "html htm xhtml xht shtml mht mhtml hta doc xls php asp aspx",
                   "a web page", TEXT},
    [KIND_XML] = {"xml", "text/xml", "xml", "xml xsd xsl xslt rdf rss atom plist kml gpx svg opml "
                  "wsdl xbrl webloc fodt fods fodp doc xls eml emlx", "an XML document", TEXT},
    [KIND_JSON] = {"json", "application/json", "json", "json jsonl ndjson geojson webmanifest har ipynb",
                   "JSON data", TEXT},
    [KIND_MARKDOWN] = {"markdown", "text/markdown", "md", "md markdown mkd mdown", "a Markdown text",
                       EDIT | TEXT},
    [KIND_EML] = {"eml", "message/rfc822", "eml", "eml mbox mbx nws emlx mht mhtml mime p7m p7s p7c txt",
                  "a mail", MAIL},
    [KIND_MBOX] = {"mbox", "application/mbox", "mbox", "mbox mbx eml mbs txt", "a mailbox", MAIL | BOX},
    [KIND_MSG] = {"msg", "application/vnd.ms-outlook", "msg", "msg oft", "an Outlook mail", MAIL},
    [KIND_MHT] = {"mht", "multipart/related", "mht", "mht mhtml eml doc xls", "a saved web page", 0},
    [KIND_ICS] = {"ics", "text/calendar", "ics", "ics ical ifb vcs txt", "a calendar entry", 0},
    [KIND_VCF] = {"vcf", "text/vcard", "vcf", "vcf vcard txt", "an address card", 0},
    [KIND_P7M] = {"p7m", "application/pkcs7-mime", "p7m", "p7m p7c p7s p7 p7b p7z eml",
                  "a signed or encrypted message", 0},
    [KIND_P7S] = {"p7s", "application/pkcs7-signature", "p7s", "p7s p7m p7 p7b sig eml", "a signature", 0},
    [KIND_PEM] = {"pem", "application/x-pem-file", "pem", "pem crt cer key csr pub p7b p7c p7s txt",
                  "a certificate or key", 0},
    [KIND_PGP] = {"pgp", "application/pgp-encrypted", "pgp", "pgp gpg asc sig key pem pub txt eml",
                  "an OpenPGP message", 0},
    [KIND_JPEG] = {"jpeg", "image/jpeg", "jpg", "jpg jpeg jpe jfif jif mpo thm", "a JPEG picture", IMAGE},
    [KIND_PNG] = {"png", "image/png", "png", "png apng", "a PNG picture", IMAGE},
    [KIND_GIF] = {"gif", "image/gif", "gif", "gif", "a GIF picture", IMAGE},
    [KIND_TIFF] = {"tiff", "image/tiff", "tif", "tif tiff fax dng nef cr2 arw orf rw2", "a TIFF picture",
                   IMAGE},
    [KIND_BMP] = {"bmp", "image/bmp", "bmp", "bmp dib", "a bitmap picture", IMAGE},
    [KIND_WEBP] = {"webp", "image/webp", "webp", "webp", "a WebP picture", IMAGE},
    [KIND_HEIC] = {"heic", "image/heic", "heic", "heic heif hif avif", "a HEIC picture", IMAGE},
    [KIND_SVG] = {"svg", "image/svg+xml", "svg", "svg xml", "an SVG drawing", IMAGE},
    [KIND_PSD] = {"psd", "image/vnd.adobe.photoshop", "psd", "psd psb", "a Photoshop picture",
                  IMAGE | EDIT},
    [KIND_DWG] = {"dwg", "image/vnd.dwg", "dwg", "dwg dwt dws sv$", "an AutoCAD drawing", EDIT},
    [KIND_EPS] = {"eps", "application/postscript", "eps", "eps ps epsf ai prn", "a PostScript document", 0},
    [KIND_XPS] = {"xps", "application/vnd.ms-xpsdocument", "xps", "xps oxps", "an XPS document", 0},
    [KIND_EPUB] = {"epub", "application/epub+zip", "epub", "epub", "an electronic book", 0},
    [KIND_MP3] = {"mp3", "audio/mpeg", "mp3", "mp3 mp2 mpga aac", "an MP3 recording", AUDIO},
    [KIND_WAV] = {"wav", "audio/x-wav", "wav", "wav wave bwf dss", "a WAV recording", AUDIO},
    [KIND_M4A] = {"m4a", "audio/mp4", "m4a", "m4a m4b m4p mp4 aac 3gp", "an audio recording", AUDIO},
    [KIND_OGG] = {"ogg", "audio/ogg", "ogg", "ogg oga ogv ogx opus spx", "an Ogg recording", AUDIO},
    [KIND_FLAC] = {"flac", "audio/flac", "flac", "flac", "a FLAC recording", AUDIO},
    [KIND_AMR] = {"amr", "audio/AMR", "amr", "amr awb 3ga", "a voice recording", AUDIO},
    [KIND_WMA] = {"wma", "audio/x-ms-wma", "wma", "wma asf wmv", "a Windows audio recording", AUDIO},
    [KIND_MP4] = {"mp4", "video/mp4", "mp4", "mp4 m4v mov 3gp 3g2 m4a mpg4 f4v", "an MP4 recording",
                  VIDEO},
    [KIND_MOV] = {"mov", "video/quicktime", "mov", "mov qt mp4 m4v", "a QuickTime recording", VIDEO},
    [KIND_AVI] = {"avi", "video/x-msvideo", "avi", "avi divx", "an AVI recording", VIDEO},
    [KIND_MKV] = {"mkv", "video/x-matroska", "mkv", "mkv webm mka mks", "a Matroska recording", VIDEO},
    [KIND_WMV] = {"wmv", "video/x-ms-wmv", "wmv", "wmv asf wma", "a Windows video recording", VIDEO},
    [KIND_MPEG] = {"mpeg", "video/mpeg", "mpg", "mpg mpeg mpe m1v m2v vob ts m2ts mts mod dat",
                   "an MPEG recording", VIDEO},
    [KIND_ZIP] = {"zip", "application/zip", "zip",
                  "zip zipx docx docm dotx dotm xlsx xlsm xlsb xltx xltm xlam pptx pptm ppsx ppsm "
                  "potx odt ods odp odg ott ots otp epub xps oxps vsdx vsdm pages numbers key kmz asice "
                  "asics idml cbz",
                  "a ZIP archive", BOX},
    [KIND_GZIP] = {"gzip", "application/gzip", "gz", "gz tgz gzip svgz emz", "a gzip archive", BOX},
    [KIND_TAR] = {"tar", "application/x-tar", "tar", "tar", "a tar archive", BOX},
    [KIND_SEVENZ] = {"7z", "application/x-7z-compressed", "7z", "7z", "a 7-Zip archive", BOX},
    [KIND_RAR] = {"rar", "application/vnd.rar", "rar", "rar r00 r01 cbr", "a RAR archive", BOX},
    [KIND_BZIP2] = {"bzip2", "application/x-bzip2", "bz2", "bz2 tbz tbz2", "a bzip2 archive", BOX},
    [KIND_XZ] = {"xz", "application/x-xz", "xz", "xz txz", "an xz archive", BOX},
    [KIND_ZSTD] = {"zstd", "application/zstd", "zst", "zst tzst", "a Zstandard archive", BOX},
    [KIND_ISO] = {"iso", "application/x-iso9660-image", "iso", "iso img udf", "a disc image", BOX},
    [KIND_PST] = {"pst", "application/vnd.ms-outlook-pst", "pst", "pst ost pab nst", "an Outlook data file",
                  BOX},
    [KIND_OLE] = {"ole", "application/x-ole-storage", "",
                  "doc dot xls xlt ppt pps pot msg oft pub vsd vst mpp db wps wpd docx docm xlsx xlsm "
                  "xlsb pptx pptm hwp shs",
                  "a compound document", EDIT},
    [KIND_MDB] = {"mdb", "application/x-msaccess", "mdb", "mdb mde mda mdt", "an Access database", EDIT},
    [KIND_ACCDB] = {"accdb", "application/x-msaccess2007", "accdb", "accdb accde accdt accdr",
                    "an Access database", EDIT},
    [KIND_SQLITE] = {"sqlite", "application/vnd.sqlite3", "sqlite", "sqlite sqlite3 db db3 lrcat", "an SQLite database",
                     0},
    [KIND_EXE] = {"exe", "application/x-dosexec", "exe", "exe dll com scr sys ocx cpl drv", "a Windows program",
                  PROG},
    [KIND_MSI] = {"msi", "application/x-msi", "msi", "msi msp mst", "a Windows installer", PROG},
    [KIND_ELF] = {"elf", "application/x-executable", "", "so bin run o ko", "a Linux program", PROG},
    [KIND_MACHO] = {"macho", "application/x-mach-binary", "", "dylib bundle", "a macOS program", PROG},
    [KIND_SCRIPT] = {"script", "text/x-shellscript", "sh", "sh bash zsh ksh csh pl rb php ps1", "a script", PROG},
    [KIND_BATCH] = {"batch", "text/x-msdos-batch", "bat", "bat cmd", "a batch file", PROG},
    [KIND_JAVASCRIPT] = {"javascript", "text/javascript", "js", "js mjs jse", "a JavaScript program", PROG},
    [KIND_PYTHON] = {"python", "text/x-script.python", "py", "py pyw", "a Python program", PROG},
    [KIND_JAR] = {"jar", "application/java-archive", "jar", "jar war ear class", "a Java program", PROG},
    [KIND_APK] = {"apk", "application/vnd.android.package-archive", "apk", "apk aab", "an Android program",
                  PROG},
    [KIND_LNK] = {"lnk", "application/x-ms-shortcut", "lnk", "lnk", "a Windows shortcut", PROG},
    [KIND_DMG] = {"dmg", "application/x-apple-diskimage", "dmg", "dmg smi img", "a macOS disk image", BOX},
    [KIND_ONE] = {"one", "application/msonenote", "one", "one onetoc2 onepkg", "a OneNote notebook", EDIT},
    [KIND_PUB] = {"pub", "application/vnd.ms-publisher", "pub", "pub", "a Publisher document", EDIT},
    [KIND_VSD] = {"vsd", "application/vnd.visio", "vsd", "vsd vst vss", "a Visio drawing", EDIT},
    [KIND_VSDX] = {"vsdx", "application/vnd.ms-visio.drawing.main+xml", "vsdx", "vsdx vsdm vstx vssx",
                   "a Visio drawing", EDIT},
    [KIND_PAGES] = {"pages", "application/vnd.apple.pages", "pages", "pages numbers template",
                    "a Pages document", EDIT},
    [KIND_NUMBERS] = {"numbers", "application/vnd.apple.numbers", "numbers", "numbers pages",
                      "a Numbers spreadsheet", EDIT},
    [KIND_KEYNOTE] = {"keynote", "application/vnd.apple.keynote", "key", "key keynote kth",
                      "a Keynote presentation", EDIT},
    [KIND_DATA] = {"data", "application/octet-stream", "", "", "data of no known type", 0},
};

/* What libmagic says beside the types above. Charset-like suffixes never reach this table. */
static const struct {
    const char *mime;
    enum kind kind;
} mimes[] = {
    {"application/CDFV2", KIND_OLE},
    {"application/CDFV2-corrupt", KIND_OLE},
    {"application/encrypted", KIND_OLE},
    {"application/java-archive", KIND_JAR},
    {"application/javascript", KIND_JAVASCRIPT},
    {"application/octet-stream", KIND_DATA},
    {"application/pkcs7-mime", KIND_P7M},
    {"application/pgp-keys", KIND_PGP},
    {"application/pgp-signature", KIND_PGP},
    {"application/rtf", KIND_RTF},
    {"application/vnd.ms-office", KIND_OLE},
    {"application/vnd.microsoft.portable-executable", KIND_EXE},
    {"application/vnd.wordperfect", KIND_WPD},
    {"application/wordperfect", KIND_WPD},
    {"application/x-bzip", KIND_BZIP2},
    {"application/x-gzip", KIND_GZIP},
    {"application/x-java-applet", KIND_JAR},
    {"application/x-ms-pdb", KIND_DATA},
    {"application/x-ndjson", KIND_JSON},
    {"application/x-pie-executable", KIND_ELF},
    {"application/x-rar", KIND_RAR},
    {"application/x-setupscript", KIND_TEXT},
    {"application/x-sharedlib", KIND_ELF},
    {"application/x-sqlite3", KIND_SQLITE},
    {"application/x-wine-extension-ini", KIND_TEXT},
    {"application/x-zip", KIND_ZIP},
    {"application/x-zstd", KIND_ZSTD},
    {"application/xml", KIND_XML},
    {"audio/x-m4a", KIND_M4A},
    {"audio/x-hx-aac-adts", KIND_MP3},
    {"audio/amr", KIND_AMR},
    {"image/heif", KIND_HEIC},
    {"image/svg", KIND_SVG},
    {"image/x-ms-bmp", KIND_BMP},
    {"image/x-eps", KIND_EPS},
    {"text/PGP", KIND_PGP},
    {"text/x-python", KIND_PYTHON},
    {"text/x-script.python", KIND_PYTHON},
    {"text/x-perl", KIND_SCRIPT},
    {"text/x-ruby", KIND_SCRIPT},
    {"text/x-php", KIND_SCRIPT},
    {"text/x-shellscript", KIND_SCRIPT},
    {"text/x-vcard", KIND_VCF},
    {"text/x-msdos-batch", KIND_BATCH},
    {"video/x-ms-asf", KIND_WMV},
    {"video/webm", KIND_MKV},
    {"video/3gpp", KIND_MP4},
    {"video/mp2t", KIND_MPEG},
    {"video/mpv", KIND_MPEG},
    {"video/x-m4v", KIND_MP4},
};
/* clang-format on */

/* Extensions under which Windows, macOS or Linux runs a file that somebody opens. */
static const char programs[] =
    "exe dll com scr pif bat cmd ps1 psm1 psd1 vb vbs vbe js jse mjs ws wsf wsc wsh hta msi msp "
    "mst msc "
    "msix appx appinstaller cpl reg inf sct scf sh bash zsh csh ksh fish py pyw pyc pyz pl rb jar "
    "jnlp "
    "class apk lnk desktop app command action workflow gadget application appref-ms deb rpm "
    "appimage run elf so dylib kext xll ocx sys drv chm iqy settingcontent-ms";

/*
 * Extensions whose content may well look like data to us: formats with a weak or no signature, or
 * encrypted as a whole. Under any other known extension unrecognised bytes are a contradiction: a
 * "pdf" without a PDF's header is broken, or is something else.
 */
static const char faint[] =
    "mp3 mp2 mpga aac mpg mpeg mpe dat ts mts mod vob wpd wp wp4 wp5 wp6 frm "
    "dwg iso img udf pst ost dss amr p7m p7s p7c p7 p7b sig pgp gpg asc key "
    "cer crt bin o db opt prn sub srt out ppt doc emz sv$";

enum { WORD_MAX = 24 }; /* more letters than any word of the lists has */

/* word is one of the space-separated words of list, which are in lower case; word in any. */
static bool listed(const char *list, const char *word)
{
    char lower[WORD_MAX + 1];
    size_t n = strlen(word);

    if (n == 0 || n > WORD_MAX || strchr(word, ' '))
        return false;
    for (size_t i = 0; i <= n; i++)
        lower[i] = (char)ascii_lower(word[i]);
    for (const char *p = list; (p = strstr(p, lower)); p++)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

const struct kind_info *kind_info(enum kind k)
{
    return &kinds[(unsigned)k < KIND_COUNT ? k : KIND_UNKNOWN];
}

enum kind kind_parse(const char *name)
{
    for (unsigned k = 0; k < KIND_COUNT; k++)
        if (strcmp(kinds[k].name, name) == 0)
            return (enum kind)k;
    return KIND_UNKNOWN;
}

/* text/x-c, text/x-java and the like: libmagic's guesses at what plain text is about. */
static bool is_text_guess(const char *mime)
{
    return strncasecmp(mime, "text/", 5) == 0;
}

enum kind kind_of_mime(const char *mime)
{
    for (size_t i = 0; i < sizeof mimes / sizeof mimes[0]; i++)
        if (strcasecmp(mimes[i].mime, mime) == 0)
            return mimes[i].kind;
    for (unsigned k = KIND_EMPTY; k < KIND_COUNT; k++)
        if (strcasecmp(kinds[k].mime, mime) == 0)
            return (enum kind)k;
    return is_text_guess(mime) ? KIND_TEXT : KIND_DATA;
}

bool kind_has_ext(enum kind k, const char *ext)
{
    return listed(kind_info(k)->exts, ext);
}

/* A kind claims ext as its own. */
static bool is_known_ext(const char *ext)
{
    for (unsigned k = 0; k < KIND_COUNT; k++)
        if (listed(kinds[k].exts, ext))
            return true;
    return false;
}

/* ext belongs to a kind that is written in plain text: there the extension decides. */
static bool is_text_ext(const char *ext)
{
    static const enum kind written[] = {KIND_TEXT, KIND_CSV,  KIND_HTML,
                                        KIND_XML,  KIND_JSON, KIND_MARKDOWN};

    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++)
        if (listed(kinds[written[i]].exts, ext))
            return true;
    return false;
}

/* ext belongs to a format that is text inside and may not be told from it by its first lines. */
static bool is_plain_inside(const char *ext)
{
    static const enum kind inside[] = {KIND_EML, KIND_MBOX, KIND_MHT, KIND_ICS, KIND_VCF,
                                       KIND_PEM, KIND_PGP,  KIND_SVG, KIND_EPS, KIND_P7S};

    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
        if (listed(kinds[inside[i]].exts, ext))
            return true;
    return false;
}

static enum verdict verdict_without_ext(enum kind k)
{
    const struct kind_info *info = kind_info(k);

    if (info->flags & KIND_IS_PROGRAM)
        return VERDICT_PROGRAM;
    return *info->ext ? VERDICT_NO_EXTENSION : VERDICT_UNKNOWN;
}

enum verdict kind_verdict(enum kind k, const char *ext)
{
    const struct kind_info *info = kind_info(k);

    if (!ext || !*ext)
        return verdict_without_ext(k);
    if ((info->flags & KIND_IS_PROGRAM) || listed(programs, ext))
        return VERDICT_PROGRAM;
    if (k == KIND_EMPTY || kind_has_ext(k, ext))
        return VERDICT_AGREES;

    bool known = is_known_ext(ext);

    if (info == &kinds[KIND_UNKNOWN])
        return known ? VERDICT_AGREES : VERDICT_UNKNOWN;
    if (k == KIND_DATA)
        return !known ? VERDICT_UNKNOWN : listed(faint, ext) ? VERDICT_AGREES : VERDICT_CONTRADICTS;
    if (!known)
        return VERDICT_AGREES;
    if ((info->flags & KIND_IS_TEXT) && is_text_ext(ext))
        return VERDICT_AGREES;
    if (k == KIND_TEXT && is_plain_inside(ext))
        return VERDICT_AGREES;
    return VERDICT_CONTRADICTS;
}
