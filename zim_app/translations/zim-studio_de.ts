<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE">
<context>
    <name></name>
    <message>
        <source>A ZIM model in ONNX format is a folder with both files.</source>
        <translation>Ein ZIM-Modell im ONNX-Format ist ein Ordner mit beiden Dateien.</translation>
    </message>
    <message>
        <source>A graph in {folder} cannot be run ({reason}).</source>
        <translation>Ein Graph in {folder} lässt sich nicht ausführen ({reason}).</translation>
    </message>
    <message>
        <source>A grid of {grid} clicks a side is not possible.</source>
        <translation>Ein Raster aus {grid} Klicks je Seite ist nicht möglich.</translation>
    </message>
    <message>
        <source>A mask cannot be read: {error}.</source>
        <translation>Eine Maske kann nicht gelesen werden: {error}.</translation>
    </message>
    <message>
        <source>A mask is damaged: its digest is another.</source>
        <translation>Eine Maske ist beschädigt: Ihre Prüfsumme ist eine andere.</translation>
    </message>
    <message>
        <source>A mask is no grey PNG, or too large.</source>
        <translation>Eine Maske ist kein graues PNG oder zu groß.</translation>
    </message>
    <message>
        <source>A mask&apos;s converter is {converter!r}, which is no name.</source>
        <translation>Der Konverter einer Maske ist {converter!r}, was kein Name ist.</translation>
    </message>
    <message>
        <source>A mask&apos;s refine is {refine!r}.</source>
        <translation>Das „refine“ einer Maske ist {refine!r}.</translation>
    </message>
    <message>
        <source>A process that scores mattes has died, perhaps for want of memory.</source>
        <translation>Ein Prozess, der Masken bewertet, ist gestorben, vielleicht aus Mangel an Speicher.</translation>
    </message>
    <message>
        <source>A run-length mask of {count} pixels does not fill {height} x {width} pixels.</source>
        <translation>Eine lauflängenkodierte Maske von {count} Pixeln füllt keine {height} x {width} Pixel.</translation>
    </message>
    <message>
        <source>A run-length mask of {width} x {height} pixels belongs to another photo.</source>
        <translation>Eine lauflängenkodierte Maske von {width} x {height} Pixeln gehört zu einem anderen Foto.</translation>
    </message>
    <message>
        <source>A run-length mask of {width} x {height} pixels is too large.</source>
        <translation>Eine lauflängenkodierte Maske von {width} x {height} Pixeln ist zu groß.</translation>
    </message>
    <message>
        <source>A scribble has no points.</source>
        <translation>Ein Strich hat keine Punkte.</translation>
    </message>
    <message>
        <source>Add a file name.</source>
        <translation>Fügen Sie einen Dateinamen hinzu.</translation>
    </message>
    <message>
        <source>Choose another name, or say that it is to be replaced.</source>
        <translation>Wählen Sie einen anderen Namen, oder geben Sie an, dass sie ersetzt werden soll.</translation>
    </message>
    <message>
        <source>Add a positive point or a box.</source>
        <translation>Setzen Sie einen positiven Punkt oder einen Rahmen.</translation>
    </message>
    <message>
        <source>Add it to the installed models first.</source>
        <translation>Fügen Sie es zuerst den installierten Modellen hinzu.</translation>
    </message>
    <message>
        <source>Add to it first.</source>
        <translation>Ergänzen Sie sie zuerst.</translation>
    </message>
    <message>
        <source>Allow it, or name another in {variable}.</source>
        <translation>Erlauben Sie es oder nennen Sie einen anderen in {variable}.</translation>
    </message>
    <message>
        <source>An array of shape {shape} and type {dtype} is not an image.</source>
        <translation>Ein Feld der Form {shape} vom Typ {dtype} ist kein Bild.</translation>
    </message>
    <message>
        <source>Give the path of a photo; zim-studio batch takes folders.</source>
        <translation>Geben Sie den Pfad eines Bildes an; Ordner nimmt zim-studio batch.</translation>
    </message>
    <message>
        <source>{parts}, {part}</source>
        <translation>{parts}, {part}</translation>
    </message>
    <message>
        <source>Unusable and ignored in {name}: {parts}.</source>
        <translation>Unbrauchbar und ignoriert in {name}: {parts}.</translation>
    </message>
    <message>
        <source>All pixels were read.</source>
        <translation>Alle Pixel wurden gelesen.</translation>
    </message>
    <message>
        <source>An array of shape {shape} is no mask.</source>
        <translation>Ein Array der Form {shape} ist keine Maske.</translation>
    </message>
    <message>
        <source>An object cannot be read: {error}.</source>
        <translation>Ein Objekt kann nicht gelesen werden: {error}.</translation>
    </message>
    <message>
        <source>An object&apos;s id is {id!r}, which is no positive number.</source>
        <translation>Die Nummer eines Objekts ist {id!r}, das ist keine positive Zahl.</translation>
    </message>
    <message>
        <source>Another run is writing to {path}.</source>
        <translation>Ein anderer Lauf schreibt in {path}.</translation>
    </message>
    <message>
        <source>There is no image.</source>
        <translation>Es gibt kein Bild.</translation>
    </message>
    <message>
        <source>Give at least one.</source>
        <translation>Geben Sie mindestens eines an.</translation>
    </message>
    <message>
        <source>The scaled image has shape {shape}.</source>
        <translation>Das skalierte Bild hat die Form {shape}.</translation>
    </message>
    <message>
        <source>Expected (1, 3, h, w) with a longer side of {side}.</source>
        <translation>Erwartet wird (1, 3, h, w) mit einer längeren Seite von {side}.</translation>
    </message>
    <message>
        <source>The scaled image has shape {shape}, which is not that of an image of {width} x {height} pixels.</source>
        <translation>Das skalierte Bild hat die Form {shape}, die nicht zu einem Bild von {width} x {height} Pixeln gehört.</translation>
    </message>
    <message>
        <source>Give the height and width before scaling.</source>
        <translation>Geben Sie Höhe und Breite vor dem Skalieren an.</translation>
    </message>
    <message>
        <source>It uses its earlier predictions by itself; give points.</source>
        <translation>Es nutzt seine früheren Vorhersagen von selbst; geben Sie Punkte an.</translation>
    </message>
    <message>
        <source>No images are set.</source>
        <translation>Es sind keine Bilder gesetzt.</translation>
    </message>
    <message>
        <source>Call set_image_batch first.</source>
        <translation>Rufen Sie zuerst set_image_batch auf.</translation>
    </message>
    <message>
        <source>Prompts of {n} images are given.</source>
        <translation>Prompts für {n} Bilder sind gegeben.</translation>
    </message>
    <message>
        <source>Give one entry, or None, for each of {count}.</source>
        <translation>Geben Sie für jedes der {count} einen Eintrag oder None an.</translation>
    </message>
    <message>
        <source>Call set_image first.</source>
        <translation>Rufen Sie zuerst set_image auf.</translation>
    </message>
    <message>
        <source>{name} takes no tensors.</source>
        <translation>{name} nimmt keine Tensoren.</translation>
    </message>
    <message>
        <source>Use set_image and predict.</source>
        <translation>Nutzen Sie set_image und predict.</translation>
    </message>
    <message>
        <source>point_coords and point_labels belong together.</source>
        <translation>point_coords und point_labels gehören zusammen.</translation>
    </message>
    <message>
        <source>Give both, with one label for each point: 1 on the object, 0 beside.</source>
        <translation>Geben Sie beide an, mit einem Label je Punkt: 1 auf dem Objekt, 0 daneben.</translation>
    </message>
    <message>
        <source>point_coords has shape {coords}, point_labels {labels}.</source>
        <translation>point_coords hat die Form {coords}, point_labels {labels}.</translation>
    </message>
    <message>
        <source>Expected (N, 2) and (N,).</source>
        <translation>Erwartet werden (N, 2) und (N,).</translation>
    </message>
    <message>
        <source>box is {box!r:.60}.</source>
        <translation>box ist {box!r:.60}.</translation>
    </message>
    <message>
        <source>box has shape {shape}.</source>
        <translation>box hat die Form {shape}.</translation>
    </message>
    <message>
        <source>mask_input has shape {shape}.</source>
        <translation>mask_input hat die Form {shape}.</translation>
    </message>
    <message>
        <source>Give the logits of an earlier prediction, such as logits[:1].</source>
        <translation>Geben Sie die Logits einer früheren Vorhersage an, etwa logits[:1].</translation>
    </message>
    <message>
        <source>original_image_size is {size!r:.60}.</source>
        <translation>original_image_size ist {size!r:.60}.</translation>
    </message>
    <message>
        <source>Give the height and the width of the image, in pixels.</source>
        <translation>Geben Sie Höhe und Breite des Bildes in Pixeln an.</translation>
    </message>
    <message>
        <source>The prompts of a batch are {prompts!r:.60}.</source>
        <translation>Die Markierungen eines Stapels sind {prompts!r:.60}.</translation>
    </message>
    <message>
        <source>Give a list with one entry, or None, for each image.</source>
        <translation>Geben Sie eine Liste mit einem Eintrag oder None je Bild an.</translation>
    </message>
    <message>
        <source>{name} is not a tensor of numbers.</source>
        <translation>{name} ist kein Tensor aus Zahlen.</translation>
    </message>
    <message>
        <source>Give torch.as_tensor of it, or call predict, which takes arrays.</source>
        <translation>Geben Sie torch.as_tensor davon an, oder rufen Sie predict auf, das Arrays nimmt.</translation>
    </message>
    <message>
        <source>{name} has shape {shape}.</source>
        <translation>{name} hat die Form {shape}.</translation>
    </message>
    <message>
        <source>Expected {shapes}.</source>
        <translation>Erwartet wird {shapes}.</translation>
    </message>
    <message>
        <source>{name} is not finite.</source>
        <translation>{name} ist nicht endlich.</translation>
    </message>
    <message>
        <source>Give pixels from the top left, without NaN and infinity.</source>
        <translation>Geben Sie Pixel von links oben an, ohne NaN und Unendlich.</translation>
    </message>
    <message>
        <source>A label is none of 1, 0 and -1.</source>
        <translation>Eine Marke ist weder 1, 0 noch -1.</translation>
    </message>
    <message>
        <source>1 is positive, 0 negative, -1 padding; give a box as box.</source>
        <translation>1 ist positiv, 0 negativ, -1 Füllung; geben Sie einen Rahmen als box an.</translation>
    </message>
    <message>
        <source>Expected four finite numbers: left, top, right, bottom.</source>
        <translation>Erwartet werden vier endliche Zahlen: links, oben, rechts, unten.</translation>
    </message>
    <message>
        <source>Check that this computer is online, then download again: what has arrived is kept.</source>
        <translation>Prüfen Sie, ob dieser Rechner online ist, und laden Sie dann weiter: Was angekommen ist, bleibt.</translation>
    </message>
    <message>
        <source>Check the clock of this computer; behind a company&apos;s proxy, name its certificate in SSL_CERT_FILE.</source>
        <translation>Prüfen Sie die Uhr dieses Rechners; hinter dem Proxy einer Firma nennen Sie dessen Zertifikat in SSL_CERT_FILE.</translation>
    </message>
    <message>
        <source>Check the network, then download again: what has arrived is kept.</source>
        <translation>Prüfen Sie das Netz und laden Sie dann weiter: Was angekommen ist, bleibt.</translation>
    </message>
    <message>
        <source>Check the spelling.</source>
        <translation>Prüfen Sie die Schreibweise.</translation>
    </message>
    <message>
        <source>Choose a folder for the results.</source>
        <translation>Wählen Sie einen Ordner für die Ergebnisse.</translation>
    </message>
    <message>
        <source>Choose a file of prompts.</source>
        <translation>Wählen Sie eine Datei mit Vorgaben.</translation>
    </message>
    <message>
        <source>Choose a folder of photos.</source>
        <translation>Wählen Sie einen Ordner mit Bildern.</translation>
    </message>
    <message>
        <source>Choose a folder with JPEG, PNG, TIFF, WebP, BMP or GIF files.</source>
        <translation>Wählen Sie einen Ordner mit JPEG-, PNG-, TIFF-, WebP-, BMP- oder GIF-Dateien.</translation>
    </message>
    <message>
        <source>Choose a photo.</source>
        <translation>Wählen Sie ein Bild.</translation>
    </message>
    <message>
        <source>Choose a shorter name.</source>
        <translation>Wählen Sie einen kürzeren Namen.</translation>
    </message>
    <message>
        <source>Choose another disk.</source>
        <translation>Wählen Sie einen anderen Datenträger.</translation>
    </message>
    <message>
        <source>Choose another file.</source>
        <translation>Wählen Sie eine andere Datei.</translation>
    </message>
    <message>
        <source>Choose another folder for the results.</source>
        <translation>Wählen Sie einen anderen Ordner für die Ergebnisse.</translation>
    </message>
    <message>
        <source>Choose another folder, or allow access to this one.</source>
        <translation>Wählen Sie einen anderen Ordner oder erlauben Sie den Zugriff auf diesen.</translation>
    </message>
    <message>
        <source>{mask} marks nothing in these slices.</source>
        <translation>{mask} markiert in diesen Schichten nichts.</translation>
    </message>
    <message>
        <source>Take more slices (--every 1), or slices without an object (--all).</source>
        <translation>Nehmen Sie mehr Schichten (--every 1) oder auch solche ohne Objekt (--all).</translation>
    </message>
    <message>
        <source>{mask} has {own} voxels, but {volume} has {others}.</source>
        <translation>{mask} hat {own} Voxel, {volume} aber {others}.</translation>
    </message>
    <message>
        <source>Give the mask of this volume, on the same grid.</source>
        <translation>Geben Sie die Maske dieses Volumens im selben Raster an.</translation>
    </message>
    <message>
        <source>The voxels of {mask} lie elsewhere than those of {volume}.</source>
        <translation>Die Voxel von {mask} liegen woanders als die von {volume}.</translation>
    </message>
    <message>
        <source>{mask} holds numbers that are not whole.</source>
        <translation>{mask} enthält Zahlen, die nicht ganz sind.</translation>
    </message>
    <message>
        <source>Give a mask whose numbers mark objects, not probabilities.</source>
        <translation>Geben Sie eine Maske an, deren Zahlen Objekte bezeichnen, keine Wahrscheinlichkeiten.</translation>
    </message>
    <message>
        <source>Choose another folder.</source>
        <translation>Wählen Sie einen anderen Ordner.</translation>
    </message>
    <message>
        <source>Choose another name for the result.</source>
        <translation>Einen anderen Namen für das Ergebnis wählen.</translation>
    </message>
    <message>
        <source>Choose another name.</source>
        <translation>Wählen Sie einen anderen Namen.</translation>
    </message>
    <message>
        <source>Choose another one: {devices}.</source>
        <translation>Wählen Sie ein anderes: {devices}.</translation>
    </message>
    <message>
        <source>Choose another, such as {folder}.</source>
        <translation>Wählen Sie einen anderen, etwa {folder}.</translation>
    </message>
    <message>
        <source>Choose some photos, or a folder.</source>
        <translation>Wählen Sie Bilder oder einen Ordner.</translation>
    </message>
    <message>
        <source>Choose the folder separately.</source>
        <translation>Wählen Sie den Ordner getrennt.</translation>
    </message>
    <message>
        <source>Close other programs, or choose a smaller model.</source>
        <translation>Schließen Sie andere Programme oder wählen Sie ein kleineres Modell.</translation>
    </message>
    <message>
        <source>Close other programs, or make the photo smaller.</source>
        <translation>Schließen Sie andere Programme oder verkleinern Sie das Bild.</translation>
    </message>
    <message>
        <source>Convert it to JPEG, PNG, TIFF, WebP, BMP or GIF.</source>
        <translation>Wandeln Sie es in JPEG, PNG, TIFF, WebP, BMP oder GIF um.</translation>
    </message>
    <message>
        <source>{name} is not a photo that zim-studio can read: its format is {kind}.</source>
        <translation>{name} ist kein Foto, das zim-studio lesen kann: Sein Format ist {kind}.</translation>
    </message>
    <message>
        <source>Convert it to JPEG, PNG, TIFF, WebP, BMP or GIF; if it is one already, it is damaged.</source>
        <translation>Wandeln Sie es um in JPEG, PNG, TIFF, WebP, BMP oder GIF; ist es das schon, dann ist es beschädigt.</translation>
    </message>
    <message>
        <source>Coordinates are pixels from the top-left corner: x, then y.</source>
        <translation>Koordinaten sind Pixel von der linken oberen Ecke: erst x, dann y.</translation>
    </message>
    <message>
        <source>Copy both from the same model.</source>
        <translation>Kopieren Sie beide vom selben Modell.</translation>
    </message>
    <message>
        <source>Copy or download it again.</source>
        <translation>Kopieren oder laden Sie die Datei noch einmal.</translation>
    </message>
    <message>
        <source>Correct the file of prompts.</source>
        <translation>Berichtigen Sie die Datei mit Vorgaben.</translation>
    </message>
    <message>
        <source>{name} names it, but several photos are called so.</source>
        <translation>{name} nennt es, aber mehrere Fotos heißen so.</translation>
    </message>
    <message>
        <source>Write its path from the input folder.</source>
        <translation>Schreiben Sie seinen Pfad ab dem Eingabeordner.</translation>
    </message>
    <message>
        <source>{name} names it, but there is no such photo.</source>
        <translation>{name} nennt es, aber es gibt kein solches Foto.</translation>
    </message>
    <message>
        <source>Compare the names, with their suffixes.</source>
        <translation>Vergleichen Sie die Namen samt ihren Endungen.</translation>
    </message>
    <message>
        <source>Create it first, or choose another.</source>
        <translation>Legen Sie ihn zuerst an oder wählen Sie einen anderen.</translation>
    </message>
    <message>
        <source>EXIF data</source>
        <translation>EXIF-Daten</translation>
    </message>
    <message>
        <source>colour profile</source>
        <translation>Farbprofil</translation>
    </message>
    <message>
        <source>{name} has {pixels:.0f} million pixels ({width} x {height}); the limit is {limit} million.</source>
        <translation>{name} hat {pixels:.0f} Millionen Pixel ({width} x {height}); die Grenze ist {limit} Millionen.</translation>
    </message>
    <message>
        <source>Crop it or make it smaller first.</source>
        <translation>Beschneiden oder verkleinern Sie es zuerst.</translation>
    </message>
    <message>
        <source>Cut the object out first.</source>
        <translation>Stellen Sie das Objekt zuerst frei.</translation>
    </message>
    <message>
        <source>Download again to go on: what has arrived is kept.</source>
        <translation>Laden Sie weiter: Was angekommen ist, bleibt.</translation>
    </message>
    <message>
        <source>Download again: what has arrived is kept.</source>
        <translation>Noch einmal herunterladen: Was schon da ist, bleibt.</translation>
    </message>
    <message>
        <source>Download it again. If that does not help, something between here and {host} changes files, or there is a newer one.</source>
        <translation>Laden Sie sie noch einmal. Hilft das nicht, dann verändert etwas zwischen hier und {host} Dateien, oder es gibt eine neuere.</translation>
    </message>
    <message>
        <source>Download it under Model › Manage models, or with: zim-studio models download {model}</source>
        <translation>Laden Sie es unter Modell › Modelle verwalten oder mit: zim-studio models download {model}</translation>
    </message>
    <message>
        <source>Download or copy both files again.</source>
        <translation>Laden oder kopieren Sie beide Dateien noch einmal.</translation>
    </message>
    <message>
        <source>Download or copy it again.</source>
        <translation>Laden oder kopieren Sie die Datei noch einmal.</translation>
    </message>
    <message>
        <source>Draw it again.</source>
        <translation>Zeichnen Sie ihn noch einmal.</translation>
    </message>
    <message>
        <source>Expected one of Meta&apos;s sam_vit_*.pth or sam2.1_hiera_*.pt files, sam_hq_vit_*.pth or mobile_sam.pt.</source>
        <translation>Erwartet wird eine der Dateien sam_vit_*.pth oder sam2.1_hiera_*.pt von Meta, sam_hq_vit_*.pth oder mobile_sam.pt.</translation>
    </message>
    <message>
        <source>{path} holds weights of {family}, which is not supported.</source>
        <translation>{path} enthält Gewichte von {family}, was nicht unterstützt wird.</translation>
    </message>
    <message>
        <source>{path} is not a SAM ViT-B, ViT-L or ViT-H, MobileSAM, HQ-SAM or SAM 2 checkpoint.</source>
        <translation>{path} ist kein Checkpoint von SAM (ViT-B, ViT-L oder ViT-H), MobileSAM, HQ-SAM oder SAM 2.</translation>
    </message>
    <message>
        <source>{path} is no plain SAM with a ViT, which a ZIM grows from.</source>
        <translation>{path} ist kein einfaches SAM mit einem ViT, aus dem ein ZIM entsteht.</translation>
    </message>
    <message>
        <source>Give one of Meta&apos;s sam_vit_*.pth files.</source>
        <translation>Geben Sie eine der Dateien sam_vit_*.pth von Meta an.</translation>
    </message>
    <message>
        <source>{path} is a TorchScript program, not weights.</source>
        <translation>{path} ist ein TorchScript-Programm, keine Gewichte.</translation>
    </message>
    <message>
        <source>Expected {first} and {second} as ZIM&apos;s authors publish them.</source>
        <translation>Erwartet werden {first} und {second}, wie die Autoren von ZIM sie veröffentlichen.</translation>
    </message>
    <message>
        <source>Expected {shape} of {dtype}, as the image has.</source>
        <translation>Erwartet wird {shape} mit {dtype}, wie beim Bild.</translation>
    </message>
    <message>
        <source>Expected {{&quot;point&quot;: [[x, y, label], ...], &quot;bbox&quot;: [x0, y0, x1, y1]}}.</source>
        <translation>Erwartet wird {{&quot;point&quot;: [[x, y, label], ...], &quot;bbox&quot;: [x0, y0, x1, y1]}}.</translation>
    </message>
    <message>
        <source>Expected {{&quot;points&quot;: [[x, y, label], ...], &quot;box&quot;: [x0, y0, x1, y1], &quot;scribbles&quot;: [{{&quot;positive&quot;: label, &quot;path&quot;: [[x, y], ...]}}, ...]}}.</source>
        <translation>Erwartet wird {{&quot;points&quot;: [[x, y, label], ...], &quot;box&quot;: [x0, y0, x1, y1], &quot;scribbles&quot;: [{{&quot;positive&quot;: label, &quot;path&quot;: [[x, y], ...]}}, ...]}}.</translation>
    </message>
    <message>
        <source>Expected: {expected}.</source>
        <translation>Erwartet wird: {expected}.</translation>
    </message>
    <message>
        <source>Export a ZIM with a ViT encoder, such as zim-vit-b.</source>
        <translation>Exportieren Sie ein ZIM mit ViT-Encoder, etwa zim-vit-b.</translation>
    </message>
    <message>
        <source>Fetch the data set with a browser from {source}.</source>
        <translation>Den Datensatz mit einem Browser von {source} holen.</translation>
    </message>
    <message>
        <source>Free some space or choose another disk.</source>
        <translation>Schaffen Sie Platz oder wählen Sie einen anderen Datenträger.</translation>
    </message>
    <message>
        <source>Free some space, or choose a folder on another disk.</source>
        <translation>Platz schaffen oder einen Ordner auf einer anderen Platte wählen.</translation>
    </message>
    <message>
        <source>Free some space, or name a folder on another disk in {variable}.</source>
        <translation>Schaffen Sie Platz oder nennen Sie einen Ordner auf einem anderen Datenträger in {variable}.</translation>
    </message>
    <message>
        <source>Give (height, width, 3) of uint8 or uint16.</source>
        <translation>Geben Sie (Höhe, Breite, 3) vom Typ uint8 oder uint16.</translation>
    </message>
    <message>
        <source>Give 1 to {limit}.</source>
        <translation>Geben Sie 1 bis {limit} an.</translation>
    </message>
    <message>
        <source>There is no part {text!r}.</source>
        <translation>Es gibt keinen Teil {text!r}.</translation>
    </message>
    <message>
        <source>Give I/N, the I-th of N parts, such as 1/4.</source>
        <translation>Geben Sie I/N an, den I-ten von N Teilen, etwa 1/4.</translation>
    </message>
    <message>
        <source>{name!r:.60} is no name of a label converter.</source>
        <translation>{name!r:.60} ist kein Name eines Label-Konverters.</translation>
    </message>
    <message>
        <source>Give its name, or the path of a .safetensors file.</source>
        <translation>Geben Sie seinen Namen oder den Pfad einer .safetensors-Datei an.</translation>
    </message>
    <message>
        <source>Give a file made by training.train_converter.</source>
        <translation>Eine Datei angeben, die training.train_converter gemacht hat.</translation>
    </message>
    <message>
        <source>Give a folder with {files}.</source>
        <translation>Geben Sie einen Ordner mit {files} an.</translation>
    </message>
    <message>
        <source>Give a mask of the photo&apos;s own size.</source>
        <translation>Eine Maske in der Größe des Bildes angeben.</translation>
    </message>
    <message>
        <source>Give a mask that is white on the object and black elsewhere.</source>
        <translation>Eine Maske angeben, die auf dem Objekt weiß und sonst schwarz ist.</translation>
    </message>
    <message>
        <source>Give a mask that is white on the object, or a lower threshold.</source>
        <translation>Eine Maske angeben, die auf dem Objekt weiß ist, oder eine niedrigere Schwelle.</translation>
    </message>
    <message>
        <source>Give a mask with less noise, or refine it with the converter.</source>
        <translation>Nehmen Sie eine Maske mit weniger Rauschen, oder verfeinern Sie sie mit dem Konverter.</translation>
    </message>
    <message>
        <source>Give a number above 0 and below 0.5.</source>
        <translation>Geben Sie eine Zahl über 0 und unter 0,5 an.</translation>
    </message>
    <message>
        <source>Give a number from 0 to 1.</source>
        <translation>Geben Sie eine Zahl von 0 bis 1 an.</translation>
    </message>
    <message>
        <source>All coordinates are from 0 to 1, but pixels are meant.</source>
        <translation>Alle Koordinaten liegen zwischen 0 und 1, aber Pixel sind gemeint.</translation>
    </message>
    <message>
        <source>Give pixels from the top left.</source>
        <translation>Geben Sie Pixel von links oben an.</translation>
    </message>
    <message>
        <source>Give a saved recipe.</source>
        <translation>Geben Sie ein gespeichertes Rezept an.</translation>
    </message>
    <message>
        <source>Give at least one positive point or a box.</source>
        <translation>Setzen Sie mindestens einen positiven Punkt oder einen Rahmen.</translation>
    </message>
    <message>
        <source>Give auto on one of its machines, HOST:PORT of its head, or local:N.</source>
        <translation>Auf einem seiner Rechner auto angeben, sonst HOST:PORT seines Kopfes oder local:N.</translation>
    </message>
    <message>
        <source>Give four: left, top, right, bottom.</source>
        <translation>Geben Sie vier an: links, oben, rechts, unten.</translation>
    </message>
    <message>
        <source>Give it prompts in the studio or in a file, or choose another source of prompts.</source>
        <translation>Geben Sie Vorgaben im Studio oder in einer Datei, oder wählen Sie, was sonst gilt.</translation>
    </message>
    <message>
        <source>Give it prompts instead.</source>
        <translation>Geben Sie ihm stattdessen Vorgaben.</translation>
    </message>
    <message>
        <source>Give left, top, right and bottom as fractions from 0 to 1.</source>
        <translation>Geben Sie links, oben, rechts und unten als Bruchteile von 0 bis 1 an.</translation>
    </message>
    <message>
        <source>Give one per point.</source>
        <translation>Geben Sie eines je Punkt an.</translation>
    </message>
    <message>
        <source>Give prompts as JSON, or as CSV in a file that ends in .csv.</source>
        <translation>Geben Sie Vorgaben als JSON, oder als CSV in einer Datei, die auf .csv endet.</translation>
    </message>
    <message>
        <source>Give the folder of a data set.</source>
        <translation>Geben Sie den Ordner eines Datensatzes an.</translation>
    </message>
    <message>
        <source>Give the folder of predictions.</source>
        <translation>Geben Sie den Ordner der Vorhersagen an.</translation>
    </message>
    <message>
        <source>Give the left, top, right and bottom edge in pixels.</source>
        <translation>Geben Sie die linke, obere, rechte und untere Kante in Pixeln an.</translation>
    </message>
    <message>
        <source>Give the output folders of batches.</source>
        <translation>Geben Sie die Ausgabeordner von Stapeln an.</translation>
    </message>
    <message>
        <source>Give the path of a file.</source>
        <translation>Geben Sie den Pfad einer Datei an.</translation>
    </message>
    <message>
        <source>Give the path of a folder.</source>
        <translation>Geben Sie den Pfad eines Ordners an.</translation>
    </message>
    <message>
        <source>Give the path of a photo.</source>
        <translation>Geben Sie den Pfad eines Bildes an.</translation>
    </message>
    <message>
        <source>{path} is no weight file, but a folder.</source>
        <translation>{path} ist keine Gewichtsdatei, sondern ein Ordner.</translation>
    </message>
    <message>
        <source>{path} is no weight file, but an ONNX graph.</source>
        <translation>{path} ist keine Gewichtsdatei, sondern ein ONNX-Graph.</translation>
    </message>
    <message>
        <source>A pair of graphs is converted by: zim-studio models convert FOLDER -o FILE.safetensors</source>
        <translation>Ein Paar von Graphen wandelt um: zim-studio models convert ORDNER -o DATEI.safetensors</translation>
    </message>
    <message>
        <source>Give the weights of a ZIM or SAM with a ViT.</source>
        <translation>Geben Sie die Gewichte eines ZIM oder SAM mit ViT an.</translation>
    </message>
    <message>
        <source>{path} holds a label converter, which takes no prompts.</source>
        <translation>{path} enthält einen Label-Konverter, der keine Prompts annimmt.</translation>
    </message>
    <message>
        <source>Use it with: zim-studio convert-mask --model {path}</source>
        <translation>Verwenden Sie ihn mit: zim-studio convert-mask --model {path}</translation>
    </message>
    <message>
        <source>{path} holds a trimap network, which takes no prompts.</source>
        <translation>{path} enthält ein Trimap-Netz, das keine Prompts annimmt.</translation>
    </message>
    <message>
        <source>Use it with --upsampling trimap --trimap-network {path}</source>
        <translation>Verwenden Sie es mit --upsampling trimap --trimap-network {path}</translation>
    </message>
    <message>
        <source>Images in {out} cannot be written: {reason}.</source>
        <translation>Bilder in {out} können nicht geschrieben werden: {reason}.</translation>
    </message>
    <message>
        <source>Import it again.</source>
        <translation>Importieren Sie sie noch einmal.</translation>
    </message>
    <message>
        <source>Install it: pip install &quot;zim-studio[cluster]&quot;</source>
        <translation>Installieren: pip install &quot;zim-studio[cluster]&quot;</translation>
    </message>
    <message>
        <source>Install it: pip install -e .[train]</source>
        <translation>Installieren: pip install -e .[train]</translation>
    </message>
    <message>
        <source>{name} takes no mask input.</source>
        <translation>{name} nimmt keine Maske als Eingabe.</translation>
    </message>
    <message>
        <source>The official graphs have none; convert them, or give points.</source>
        <translation>Die offiziellen Graphen haben keine; wandeln Sie sie um oder setzen Sie Punkte.</translation>
    </message>
    <message>
        <source>Install it: pip install onnxruntime (onnxruntime-gpu for CUDA).</source>
        <translation>Installieren Sie sie: pip install onnxruntime (onnxruntime-gpu für CUDA).</translation>
    </message>
    <message>
        <source>{path} has a malformed {sigma_key}: {text!r}.</source>
        <translation>{path} hat ein fehlerhaftes {sigma_key}: {text!r}.</translation>
    </message>
    <message>
        <source>Export the model again.</source>
        <translation>Exportieren Sie das Modell noch einmal.</translation>
    </message>
    <message>
        <source>Install the build of it for this device (onnxruntime-gpu for CUDA), or choose the CPU.</source>
        <translation>Installieren Sie die Fassung für dieses Gerät (onnxruntime-gpu für CUDA) oder wählen Sie die CPU.</translation>
    </message>
    <message>
        <source>Install what ONNX needs: pip install &apos;zim-studio[onnx]&apos;.</source>
        <translation>Installieren Sie, was ONNX braucht: pip install &apos;zim-studio[onnx]&apos;.</translation>
    </message>
    <message>
        <source>It can still be used as it is: zim-studio models add.</source>
        <translation>Verwenden lässt es sich dennoch, wie es ist: zim-studio models add.</translation>
    </message>
    <message>
        <source>It is kept as {aside}.</source>
        <translation>Es wird aufgehoben als {aside}.</translation>
    </message>
    <message>
        <source>It may come from a newer version.</source>
        <translation>Vielleicht stammt es aus einer neueren Version.</translation>
    </message>
    <message>
        <source>It may come from a newer zim-studio.</source>
        <translation>Vielleicht stammt es aus einem neueren zim-studio.</translation>
    </message>
    <message>
        <source>It may have moved: fetch it with a browser, then add it from disk.</source>
        <translation>Vielleicht ist sie umgezogen: Laden Sie sie mit einem Browser und fügen Sie sie vom Datenträger hinzu.</translation>
    </message>
    <message>
        <source>It may have moved: look at {source}.</source>
        <translation>Vielleicht ist es umgezogen: {source} ansehen.</translation>
    </message>
    <message>
        <source>points_per_side and point_grids exclude each other.</source>
        <translation>points_per_side und point_grids schließen einander aus.</translation>
    </message>
    <message>
        <source>Give one of them, and None as the other.</source>
        <translation>Geben Sie eines davon an, und None als das andere.</translation>
    </message>
    <message>
        <source>Give a list, with one array (N, 2) for each layer of crops.</source>
        <translation>Geben Sie eine Liste mit einem Array (N, 2) je Ebene von Ausschnitten an.</translation>
    </message>
    <message>
        <source>It must be (N, 2) with numbers from 0 to below 1.</source>
        <translation>Es muss (N, 2) sein, mit Zahlen von 0 bis unter 1.</translation>
    </message>
    <message>
        <source>This recipe&apos;s {name} is {value!r:.40}.</source>
        <translation>{name} dieses Rezepts ist {value!r:.40}.</translation>
    </message>
    <message>
        <source>It must be a number from {low:g} to {high:g}.</source>
        <translation>Es muss eine Zahl von {low:g} bis {high:g} sein.</translation>
    </message>
    <message>
        <source>This recipe&apos;s clean_edge is {value!r:.40}.</source>
        <translation>clean_edge dieses Rezepts ist {value!r:.40}.</translation>
    </message>
    <message>
        <source>It must be from 1 to 100.</source>
        <translation>Es muss von 1 bis 100 sein.</translation>
    </message>
    <message>
        <source>It must be saved by zim-studio (metadata key {key}).</source>
        <translation>Sie muss von zim-studio gespeichert sein (Metadaten-Schlüssel {key}).</translation>
    </message>
    <message>
        <source>It must be true or false.</source>
        <translation>Es muss true oder false sein.</translation>
    </message>
    <message>
        <source>a whole number from {low} to {high}</source>
        <translation>eine ganze Zahl von {low} bis {high}</translation>
    </message>
    <message>
        <source>A padding of {padding:g} {unit} leaves no room on a canvas of {width} x {height} pixels.</source>
        <translation>Ein Rand von {padding:g} {unit} lässt auf einer Leinwand von {width} x {height} Pixeln keinen Platz.</translation>
    </message>
    <message>
        <source>Choose less padding or a larger canvas.</source>
        <translation>Wählen Sie weniger Rand oder eine größere Leinwand.</translation>
    </message>
    <message>
        <source>The export&apos;s canvas is {value!r}.</source>
        <translation>Die Leinwand des Exports ist {value!r}.</translation>
    </message>
    <message>
        <source>It must have fields such as width and height, or be null.</source>
        <translation>Sie muss Felder wie width und height haben oder null sein.</translation>
    </message>
    <message>
        <source>The canvas has the unknown field {key!r}.</source>
        <translation>Die Leinwand hat das unbekannte Feld {key!r}.</translation>
    </message>
    <message>
        <source>The canvas&apos;s {shown} is {value!r}.</source>
        <translation>Die Einstellung {shown} der Leinwand ist {value!r}.</translation>
    </message>
    <message>
        <source>It must be {expected}.</source>
        <translation>Es muss {expected} sein.</translation>
    </message>
    <message>
        <source>Close other programs; if it is a small file, it is damaged.</source>
        <translation>Schließen Sie andere Programme; ist die Datei klein, so ist sie beschädigt.</translation>
    </message>
    <message>
        <source>Download or copy it again. If it is whole, it was made by another version or for another architecture: give the file of this one.</source>
        <translation>Laden oder kopieren Sie sie noch einmal. Ist sie vollständig, stammt sie von einer anderen Version oder Architektur: Geben Sie die Datei von dieser an.</translation>
    </message>
    <message>
        <source>Give the path of a weight file, or the name of an installed model.</source>
        <translation>Geben Sie den Pfad einer Gewichtsdatei oder den Namen eines installierten Modells an.</translation>
    </message>
    <message>
        <source>{path} holds tensors that are larger than their data.</source>
        <translation>{path} enthält Tensoren, die größer sind als ihre Daten.</translation>
    </message>
    <message>
        <source>No network can be built of the configuration in {path} ({error}).</source>
        <translation>Aus der Konfiguration in {path} lässt sich kein Netz bauen ({error}).</translation>
    </message>
    <message>
        <source>{path} does not fit {model}: {missing} tensors missing ({first_missing}), {unknown} unknown ({first_unknown}).</source>
        <translation>{path} passt nicht zu {model}: {missing} Tensoren fehlen ({first_missing}), {unknown} sind unbekannt ({first_unknown}).</translation>
    </message>
    <message>
        <source>{path} is damaged: {count} tensors hold no finite numbers ({first}).</source>
        <translation>{path} ist beschädigt: {count} Tensoren enthalten keine endlichen Zahlen ({first}).</translation>
    </message>
    <message>
        <source>Its files lie in {path}.</source>
        <translation>Seine Dateien liegen in {path}.</translation>
    </message>
    <message>
        <source>Its first row names columns out of {columns}.</source>
        <translation>Die erste Zeile nennt Spalten aus {columns}.</translation>
    </message>
    <message>
        <source>Its path or stamp is malformed: {error}.</source>
        <translation>Sein Pfad oder Stempel ist fehlerhaft: {error}.</translation>
    </message>
    <message>
        <source>Its results cannot be written: {reason}.</source>
        <translation>Die Ergebnisse können nicht geschrieben werden: {reason}.</translation>
    </message>
    <message>
        <source>Known are {fields}.</source>
        <translation>Bekannt sind {fields}.</translation>
    </message>
    <message>
        <source>Known are {known}.</source>
        <translation>Bekannt sind {known}.</translation>
    </message>
    <message>
        <source>Known: {known}; or give a .safetensors file.</source>
        <translation>Bekannt: {known}; oder eine .safetensors-Datei angeben.</translation>
    </message>
    <message>
        <source>Known: {known}; or give a .safetensors or .pth file.</source>
        <translation>Bekannt: {known}; oder geben Sie eine .safetensors- oder .pth-Datei an.</translation>
    </message>
    <message>
        <source>Known: {names}.</source>
        <translation>Bekannt: {names}.</translation>
    </message>
    <message>
        <source>Look for a newer version of zim-studio.</source>
        <translation>Suchen Sie eine neuere Version von zim-studio.</translation>
    </message>
    <message>
        <source>Malformed model configuration: a width is no multiple of 8, or the depth is 0.</source>
        <translation>Fehlerhafte Modellkonfiguration: eine Breite ist kein Vielfaches von 8, oder die Tiefe ist 0.</translation>
    </message>
    <message>
        <source>Malformed model configuration: image_size is not from 32 to {largest}.</source>
        <translation>Fehlerhafte Modellkonfiguration: image_size liegt nicht zwischen 32 und {largest}.</translation>
    </message>
    <message>
        <source>Malformed model configuration: no input, or heads of unequal widths.</source>
        <translation>Fehlerhafte Modellkonfiguration: keine Eingabe oder ungleich breite Köpfe.</translation>
    </message>
    <message>
        <source>It is of the first zim-tiny&apos;s architecture, which is no longer run.</source>
        <translation>Sie hat die Architektur des ersten zim-tiny, die nicht mehr ausgeführt wird.</translation>
    </message>
    <message>
        <source>Use the bundled zim-tiny, or train it again.</source>
        <translation>Nehmen Sie das mitgelieferte zim-tiny, oder trainieren Sie es neu.</translation>
    </message>
    <message>
        <source>Malformed model configuration: {data!r:.40}.</source>
        <translation>Fehlerhafte Modellkonfiguration: {data!r:.40}.</translation>
    </message>
    <message>
        <source>Malformed model configuration: {error}.</source>
        <translation>Fehlerhafte Modellkonfiguration: {error}.</translation>
    </message>
    <message>
        <source>Mattes of different sizes or types cannot be merged.</source>
        <translation>Masken verschiedener Größe oder Art können nicht verschmolzen werden.</translation>
    </message>
    <message>
        <source>Memory ran short: the cached features of photos were dropped.</source>
        <translation>Der Speicher wurde knapp: Was von Bildern gemerkt war, ist verworfen.</translation>
    </message>
    <message>
        <source>Name a model or predictions.</source>
        <translation>Nennen Sie ein Modell oder Vorhersagen.</translation>
    </message>
    <message>
        <source>Name folders of results.</source>
        <translation>Ordner mit Ergebnissen nennen.</translation>
    </message>
    <message>
        <source>Negative points alone do not say what to keep.</source>
        <translation>Negative Punkte allein sagen nicht, was bleiben soll.</translation>
    </message>
    <message>
        <source>No batch was written to {folder}.</source>
        <translation>In {folder} wurde kein Stapel geschrieben.</translation>
    </message>
    <message>
        <source>No image is set.</source>
        <translation>Es ist kein Bild gesetzt.</translation>
    </message>
    <message>
        <source>No model called {name} is installed.</source>
        <translation>Kein Modell namens {name} ist installiert.</translation>
    </message>
    <message>
        <source>No object was found in this photo.</source>
        <translation>In diesem Bild wurde kein Objekt gefunden.</translation>
    </message>
    <message>
        <source>Nothing was downloaded.</source>
        <translation>Nichts wurde geladen.</translation>
    </message>
    <message>
        <source>Nothing was saved. Try again, or choose another disk.</source>
        <translation>Nichts wurde gespeichert. Versuchen Sie es noch einmal oder wählen Sie einen anderen Datenträger.</translation>
    </message>
    <message>
        <source>ONNX Runtime cannot use {device} here.</source>
        <translation>ONNX Runtime kann {device} hier nicht verwenden.</translation>
    </message>
    <message>
        <source>Object {id} has a malformed name or visibility.</source>
        <translation>Objekt {id} hat einen fehlerhaften Namen oder eine fehlerhafte Sichtbarkeit.</translation>
    </message>
    <message>
        <source>Object {id} has the colour {colour!r}.</source>
        <translation>Objekt {id} hat die Farbe {colour!r}.</translation>
    </message>
    <message>
        <source>Object {name}: {reason}</source>
        <translation>Objekt {name}: {reason}</translation>
    </message>
    <message>
        <source>Only https is downloaded from.</source>
        <translation>Geladen wird nur über https.</translation>
    </message>
    <message>
        <source>Open the photo itself, and save the project again.</source>
        <translation>Öffnen Sie das Bild selbst und speichern Sie das Projekt noch einmal.</translation>
    </message>
    <message>
        <source>Please report this.</source>
        <translation>Bitte melden Sie das.</translation>
    </message>
    <message>
        <source>Put {{name}} in it, which stands for the name of the photo.</source>
        <translation>Setzen Sie {{name}} hinein, was für den Namen des Bildes steht.</translation>
    </message>
    <message>
        <source>Read it, then say --yes.</source>
        <translation>Lesen Sie sie und verwenden Sie dann --yes.</translation>
    </message>
    <message>
        <source>Remove it first, or give the new one another name.</source>
        <translation>Entfernen Sie es zuerst oder geben Sie dem neuen einen anderen Namen.</translation>
    </message>
    <message>
        <source>Remove the line, or choose another folder for the results.</source>
        <translation>Entfernen Sie die Zeile oder wählen Sie einen anderen Ordner für die Ergebnisse.</translation>
    </message>
    <message>
        <source>Rename one.</source>
        <translation>Benennen Sie eines um.</translation>
    </message>
    <message>
        <source>Resume it (--resume), or choose another folder for the results.</source>
        <translation>Setzen Sie ihn fort (--resume) oder wählen Sie einen anderen Ordner für die Ergebnisse.</translation>
    </message>
    <message>
        <source>Resume the run with fewer processes; the finished rows are kept.</source>
        <translation>Setzen Sie den Lauf mit weniger Prozessen fort; die fertigen Zeilen bleiben.</translation>
    </message>
    <message>
        <source>Save as .png or .tif.</source>
        <translation>Speichern Sie als .png oder .tif.</translation>
    </message>
    <message>
        <source>Choose a smaller size or less padding.</source>
        <translation>Wählen Sie eine kleinere Größe oder weniger Rand.</translation>
    </message>
    <message>
        <source>{name}: {notice}</source>
        <translation>{name}: {notice}</translation>
    </message>
    <message>
        <source>Save as .png, .tif or .webp, or save the matte or a composite instead.</source>
        <translation>Speichern Sie als .png, .tif oder .webp, oder speichern Sie stattdessen die Maske oder eine Montage.</translation>
    </message>
    <message>
        <source>Save as PNG, TIFF or WebP, or save the matte or a composite instead.</source>
        <translation>Speichern Sie als PNG, TIFF oder WebP, oder speichern Sie stattdessen die Maske oder eine Montage.</translation>
    </message>
    <message>
        <source>Save it as 8-bit or 16-bit RGB first.</source>
        <translation>Speichern Sie es zuerst als RGB mit 8 oder 16 Bit.</translation>
    </message>
    <message>
        <source>Save it as UTF-8.</source>
        <translation>Speichern Sie sie als UTF-8.</translation>
    </message>
    <message>
        <source>Give a .safetensors, .pth or .pt file, or a folder with {files}.</source>
        <translation>Geben Sie eine .safetensors-, .pth- oder .pt-Datei an, oder einen Ordner mit {files}.</translation>
    </message>
    <message>
        <source>Save them again with all weights of a graph in one file beside it.</source>
        <translation>Speichern Sie sie neu, mit allen Gewichten eines Graphen in einer Datei daneben.</translation>
    </message>
    <message>
        <source>Say --replace, or choose another folder.</source>
        <translation>Verwenden Sie --replace oder wählen Sie einen anderen Ordner.</translation>
    </message>
    <message>
        <source>Say --replace, or choose another name.</source>
        <translation>Verwenden Sie --replace oder wählen Sie einen anderen Namen.</translation>
    </message>
    <message>
        <source>There is no photo on the standard input.</source>
        <translation>In der Standardeingabe ist kein Foto.</translation>
    </message>
    <message>
        <source>Write: zim-studio matte - &lt; PHOTO &gt; OUT.png</source>
        <translation>Schreiben Sie: zim-studio matte - &lt; PHOTO &gt; OUT.png</translation>
    </message>
    <message>
        <source>The standard output is closed.</source>
        <translation>Die Standardausgabe ist geschlossen.</translation>
    </message>
    <message>
        <source>Say -o FILE.</source>
        <translation>Geben Sie -o DATEI an.</translation>
    </message>
    <message>
        <source>The image would be written to the terminal.</source>
        <translation>Das Bild würde in das Terminal geschrieben.</translation>
    </message>
    <message>
        <source>Say -o FILE, or end the command with &gt; FILE.</source>
        <translation>Geben Sie -o DATEI an, oder beenden Sie den Befehl mit &gt; DATEI.</translation>
    </message>
    <message>
        <source>Say -o FILE to replace it, or to save elsewhere.</source>
        <translation>Mit -o DATEI ersetzen Sie es oder speichern anderswo.</translation>
    </message>
    <message>
        <source>Segmentation: finds more objects, with hard edges; wants a GPU.</source>
        <translation>Segmentierung: findet mehr Objekte, mit harten Rändern; möchte eine GPU.</translation>
    </message>
    <message>
        <source>Segmentation: finds objects well, with hard edges.</source>
        <translation>Segmentierung: findet Objekte gut, mit harten Rändern.</translation>
    </message>
    <message>
        <source>Segmentation: SAM with a small encoder, with hard edges.</source>
        <translation>Segmentierung: SAM mit kleinem Encoder, mit harten Rändern.</translation>
    </message>
    <message>
        <source>Draws what was behind a removed object, at 512 pixels.</source>
        <translation>Zeichnet, was hinter einem entfernten Objekt war, in 512 Pixeln.</translation>
    </message>
    <message>
        <source>As ZIM tiny, but more accurate; trained on images for research only.</source>
        <translation>Wie ZIM tiny, aber genauer; auch mit Bildern trainiert, die nur für die Forschung frei sind.</translation>
    </message>
    <message>
        <source>Segmentation: the largest SAM, with hard edges; wants a GPU.</source>
        <translation>Segmentierung: das größte SAM, mit harten Rändern; möchte eine GPU.</translation>
    </message>
    <message>
        <source>Segmentation: newer and faster than SAM ViT-B, with hard edges.</source>
        <translation>Segmentierung: neuer und schneller als SAM ViT-B, mit harten Rändern.</translation>
    </message>
    <message>
        <source>Segmentation: a little more exact than tiny, with hard edges.</source>
        <translation>Segmentierung: etwas genauer als tiny, mit harten Rändern.</translation>
    </message>
    <message>
        <source>Segmentation: finds more objects, with hard edges.</source>
        <translation>Segmentierung: findet mehr Objekte, mit harten Rändern.</translation>
    </message>
    <message>
        <source>Segmentation: the largest SAM 2.1, with hard edges; wants a GPU.</source>
        <translation>Segmentierung: das größte SAM 2.1, mit harten Rändern; möchte eine GPU.</translation>
    </message>
    <message>
        <source>Refines soft edges, as detail. The weights are under Apache 2.0; the training images, Adobe&apos;s, are for non-commercial use only.</source>
        <translation>Verfeinert weiche Ränder, als Detail. Die Gewichte stehen unter Apache 2.0; die Trainingsbilder von Adobe sind nur für nicht kommerzielle Zwecke.</translation>
    </message>
    <message>
        <source>Refines soft edges, as detail; larger, wants a GPU. The weights are under Apache 2.0; the training images are for research only.</source>
        <translation>Verfeinert weiche Ränder, als Detail; größer, möchte eine GPU. Die Gewichte stehen unter Apache 2.0; die Trainingsbilder sind nur für die Forschung.</translation>
    </message>
    <message>
        <source>Finds the main object; small and fast, with rough edges.</source>
        <translation>Findet das Hauptmotiv; klein und schnell, mit groben Kanten.</translation>
    </message>
    <message>
        <source>Finds the main object, with good edges.</source>
        <translation>Findet das Hauptmotiv, mit guten Kanten.</translation>
    </message>
    <message>
        <source>Finds the main object, with fine edges; takes seconds on a CPU.</source>
        <translation>Findet das Hauptmotiv, mit feinen Kanten; braucht Sekunden auf einer CPU.</translation>
    </message>
    <message>
        <source>Finds the main object, with the finest edges; large, wants a GPU.</source>
        <translation>Findet das Hauptmotiv, mit den feinsten Kanten; groß, braucht eine GPU.</translation>
    </message>
    <message>
        <source>{model} takes a trimap, no prompts.</source>
        <translation>{model} nimmt eine Trimap, keine Vorgaben.</translation>
    </message>
    <message>
        <source>Choose it as detail, with another model.</source>
        <translation>Wählen Sie es als Detail, mit einem anderen Modell.</translation>
    </message>
    <message>
        <source>{model} finds the main object and takes no prompts.</source>
        <translation>{model} findet das Hauptmotiv und nimmt keine Vorgaben.</translation>
    </message>
    <message>
        <source>Choose it for Select subject, with another model.</source>
        <translation>Wählen Sie es für „Hauptmotiv auswählen“, mit einem anderen Modell.</translation>
    </message>
    <message>
        <source>{model} fills holes and takes no prompts.</source>
        <translation>{model} füllt Löcher und nimmt keine Markierungen.</translation>
    </message>
    <message>
        <source>Choose it to remove objects, with another model.</source>
        <translation>Wählen Sie es, um Objekte zu entfernen, mit einem anderen Modell.</translation>
    </message>
    <message>
        <source>Installed: {names}; or give a .safetensors, .pth or .pt file.</source>
        <translation>Installiert: {names}; oder geben Sie eine .safetensors-, .pth- oder .pt-Datei an.</translation>
    </message>
    <message>
        <source>Small and fast; runs on any computer.</source>
        <translation>Klein und schnell; läuft auf jedem Rechner.</translation>
    </message>
    <message>
        <source>Something unexpected happened ({what}).</source>
        <translation>Etwas Unerwartetes ist geschehen ({what}).</translation>
    </message>
    <message>
        <source>Take a configuration such as zim-vit-b.</source>
        <translation>Nehmen Sie eine Konfiguration wie zim-vit-b.</translation>
    </message>
    <message>
        <source>Take them from the same photo.</source>
        <translation>Nehmen Sie sie aus demselben Bild.</translation>
    </message>
    <message>
        <source>Task {number} was given up: its worker died {times} times.</source>
        <translation>Aufgabe {number} wurde aufgegeben: Ihr Arbeitsprozess starb {times}-mal.</translation>
    </message>
    <message>
        <source>That is the format of this program&apos;s own weights.</source>
        <translation>Das ist das Format der eigenen Gewichte dieses Programms.</translation>
    </message>
    <message>
        <source>The Ray cluster {cluster!r} cannot be reached: {error}</source>
        <translation>Der Ray-Cluster {cluster!r} ist nicht zu erreichen: {error}</translation>
    </message>
    <message>
        <source>The authors&apos; larger matting model: finest details, wants a GPU.</source>
        <translation>Das größere Freistellmodell der Autoren: feinste Details, möchte eine GPU.</translation>
    </message>
    <message>
        <source>The authors&apos; matting model: fine hair and soft edges.</source>
        <translation>Das Freistellmodell der Autoren: feine Haare und weiche Ränder.</translation>
    </message>
    <message>
        <source>The box ({shown}) has an edge that is not a number.</source>
        <translation>Der Rahmen ({shown}) hat eine Kante, die keine Zahl ist.</translation>
    </message>
    <message>
        <source>The box ({shown}) has no area inside the image ({width} x {height} pixels).</source>
        <translation>Der Rahmen ({shown}) hat keine Fläche innerhalb des Bildes ({width} x {height} Pixel).</translation>
    </message>
    <message>
        <source>The box ({shown}) is smaller than a pixel, or only the first one.</source>
        <translation>Der Rahmen ({shown}) ist kleiner als ein Pixel oder nur das erste.</translation>
    </message>
    <message>
        <source>Pixels are meant, from the top-left corner, not fractions.</source>
        <translation>Pixel sind gemeint, von der Ecke links oben, keine Bruchteile.</translation>
    </message>
    <message>
        <source>{prompts!r:.60} has no Box, or no Point.</source>
        <translation>{prompts!r:.60} hat keine Box oder keinen Point.</translation>
    </message>
    <message>
        <source>Give Box(left, top, right, bottom) and tuples of Point(x, y).</source>
        <translation>Geben Sie Box(links, oben, rechts, unten) und Tupel aus Point(x, y) an.</translation>
    </message>
    <message>
        <source>A region has no area.</source>
        <translation>Ein Bereich hat keine Fläche.</translation>
    </message>
    <message>
        <source>Draw a loop around the object.</source>
        <translation>Ziehen Sie eine Schleife um das Objekt.</translation>
    </message>
    <message>
        <source>Give both, or none.</source>
        <translation>Geben Sie beide oder keines an.</translation>
    </message>
    <message>
        <source>There are {count} {place}; at most {limit} are possible.</source>
        <translation>Es sind {count} {place}; höchstens {limit} sind möglich.</translation>
    </message>
    <message>
        <source>Use fewer, or several objects.</source>
        <translation>Nehmen Sie weniger, oder mehrere Objekte.</translation>
    </message>
    <message>
        <source>{place} has the position ({x:g}, {y:g}), which is far from any photo.</source>
        <translation>{place} hat die Position ({x:g}, {y:g}), die weit außerhalb jedes Fotos liegt.</translation>
    </message>
    <message>
        <source>The box ({x0:g}, {y0:g}, {x1:g}, {y1:g}) reaches outside the image ({width} x {height} pixels).</source>
        <translation>Der Rahmen ({x0:g}, {y0:g}, {x1:g}, {y1:g}) reicht über das Bild hinaus ({width} x {height} Pixel).</translation>
    </message>
    <message>
        <source>The box has {size} numbers.</source>
        <translation>Der Rahmen hat {size} Zahlen.</translation>
    </message>
    <message>
        <source>The colours have shape {shape} and type {dtype}.</source>
        <translation>Die Farben haben die Form {shape} und den Typ {dtype}.</translation>
    </message>
    <message>
        <source>The connection to {host} broke off.</source>
        <translation>Die Verbindung zu {host} ist abgebrochen.</translation>
    </message>
    <message>
        <source>The connection to {host} is not secure: {reason}.</source>
        <translation>Die Verbindung zu {host} ist nicht sicher: {reason}.</translation>
    </message>
    <message>
        <source>The disk of {folder} is too full: {needed:,.0f} MB are needed, {free:,.0f} MB are free.</source>
        <translation>Der Datenträger von {folder} ist zu voll: {needed:,.0f} MB werden gebraucht, {free:,.0f} MB sind frei.</translation>
    </message>
    <message>
        <source>The earlier work on this photo cannot be read. {reason}</source>
        <translation>Die frühere Arbeit an diesem Bild kann nicht gelesen werden. {reason}</translation>
    </message>
    <message>
        <source>The evaluation did not finish.</source>
        <translation>Die Auswertung wurde nicht fertig.</translation>
    </message>
    <message>
        <source>The export options cannot be read: {error}.</source>
        <translation>Die Exporteinstellungen können nicht gelesen werden: {error}.</translation>
    </message>
    <message>
        <source>Add a prompt on the object, or export the whole photo.</source>
        <translation>Geben Sie dem Objekt eine Vorgabe, oder exportieren Sie das ganze Bild.</translation>
    </message>
    <message>
        <source>The export&apos;s {shown} is {value!r}.</source>
        <translation>Die Exporteinstellung {shown} ist {value!r}.</translation>
    </message>
    <message>
        <source>The field active is {active}, which is no object&apos;s index.</source>
        <translation>Das Feld active ist {active}, was zu keinem Objekt gehört.</translation>
    </message>
    <message>
        <source>The field objects has the same id twice.</source>
        <translation>Das Feld objects enthält dieselbe Nummer zweimal.</translation>
    </message>
    <message>
        <source>The field objects is empty.</source>
        <translation>Das Feld objects ist leer.</translation>
    </message>
    <message>
        <source>The field bundled_model is no number.</source>
        <translation>Das Feld bundled_model ist keine Zahl.</translation>
    </message>
    <message>
        <source>letters of a name</source>
        <translation>Buchstaben eines Namens</translation>
    </message>
    <message>
        <source>The field {name} is malformed: {value!r}.</source>
        <translation>Das Feld {name} ist fehlerhaft: {value!r}.</translation>
    </message>
    <message>
        <source>zim-studio project</source>
        <translation>zim-studio-Projekt</translation>
    </message>
    <message>
        <source>zim-studio session</source>
        <translation>zim-studio-Sitzung</translation>
    </message>
    <message>
        <source>zim-studio run</source>
        <translation>zim-studio-Lauf</translation>
    </message>
    <message>
        <source>The field {name} is missing.</source>
        <translation>Das Feld {name} fehlt.</translation>
    </message>
    <message>
        <source>The file name has the unknown field {{{field}}}.</source>
        <translation>Der Dateiname enthält das unbekannte Feld {{{field}}}.</translation>
    </message>
    <message>
        <source>The file name {template!r} gives an empty name.</source>
        <translation>Der Dateiname {template!r} ergibt einen leeren Namen.</translation>
    </message>
    <message>
        <source>The file name {template!r} has a slash in it.</source>
        <translation>Der Dateiname {template!r} enthält einen Schrägstrich.</translation>
    </message>
    <message>
        <source>The file name {template!r} is malformed: {error}.</source>
        <translation>Der Dateiname {template!r} ist fehlerhaft: {error}.</translation>
    </message>
    <message>
        <source>The file name {template!r} is the same for all photos.</source>
        <translation>Der Dateiname {template!r} ist für alle Bilder derselbe.</translation>
    </message>
    <message>
        <source>The file name&apos;s field {{{field}:{spec}}} has a malformed format: {error}.</source>
        <translation>Das Feld {{{field}:{spec}}} des Dateinamens hat ein fehlerhaftes Format: {error}.</translation>
    </message>
    <message>
        <source>The file name&apos;s field {{{field}:{spec}}} is too long.</source>
        <translation>Das Feld {{{field}:{spec}}} des Dateinamens ist zu lang.</translation>
    </message>
    <message>
        <source>The folder {folder} cannot be read: {reason}.</source>
        <translation>Der Ordner {folder} kann nicht gelesen werden: {reason}.</translation>
    </message>
    <message>
        <source>The folder {folder} for sessions cannot be made.</source>
        <translation>Der Ordner {folder} für Sitzungen kann nicht angelegt werden.</translation>
    </message>
    <message>
        <source>The folder {parent} does not exist.</source>
        <translation>Den Ordner {parent} gibt es nicht.</translation>
    </message>
    <message>
        <source>The graph computes something else with its weights than this program&apos;s ZIM.</source>
        <translation>Der Graph berechnet mit seinen Gewichten etwas anderes als das ZIM dieses Programms.</translation>
    </message>
    <message>
        <source>The graphs in {folder} keep weights in other files than {beside}.</source>
        <translation>Die Graphen in {folder} haben Gewichte in anderen Dateien als {beside}.</translation>
    </message>
    <message>
        <source>{image!r:.60} is a file, not its pixels.</source>
        <translation>{image!r:.60} ist eine Datei, nicht ihre Pixel.</translation>
    </message>
    <message>
        <source>Open it with PIL.Image.open, or call zim_model.remove, which does.</source>
        <translation>Öffnen Sie sie mit PIL.Image.open, oder rufen Sie zim_model.remove auf, das sie selbst öffnet.</translation>
    </message>
    <message>
        <source>The image is not an array of numbers.</source>
        <translation>Das Bild ist kein Array aus Zahlen.</translation>
    </message>
    <message>
        <source>Give rows of one length, as a PIL image or a NumPy array has them.</source>
        <translation>Geben Sie Zeilen gleicher Länge an, wie ein PIL-Bild oder NumPy-Array sie hat.</translation>
    </message>
    <message>
        <source>The PIL image cannot be read ({reason}).</source>
        <translation>Das PIL-Bild kann nicht gelesen werden ({reason}).</translation>
    </message>
    <message>
        <source>Open its file again.</source>
        <translation>Öffnen Sie seine Datei noch einmal.</translation>
    </message>
    <message>
        <source>The PIL image has numbers of more than 16 bits.</source>
        <translation>Das PIL-Bild hat Zahlen mit mehr als 16 Bit.</translation>
    </message>
    <message>
        <source>Scale them to 0 to 65535 first.</source>
        <translation>Skalieren Sie sie zuerst auf 0 bis 65535.</translation>
    </message>
    <message>
        <source>The image has values from {low:g} to {high:g}; floats are 0 to 1.</source>
        <translation>Das Bild hat Werte von {low:g} bis {high:g}; Gleitkommazahlen gehen von 0 bis 1.</translation>
    </message>
    <message>
        <source>Divide by 255, or convert to uint8.</source>
        <translation>Teilen Sie durch 255, oder wandeln Sie in uint8 um.</translation>
    </message>
    <message>
        <source>Put the channels last: numpy.moveaxis(image, 0, -1).</source>
        <translation>Setzen Sie die Kanäle ans Ende: numpy.moveaxis(image, 0, -1).</translation>
    </message>
    <message>
        <source>Expected (height, width), or (height, width, 3 or 4), of uint8, uint16, or floats from 0 to 1.</source>
        <translation>Erwartet wird (Höhe, Breite) oder (Höhe, Breite, 3 oder 4) aus uint8, uint16 oder Gleitkommazahlen von 0 bis 1.</translation>
    </message>
    <message>
        <source>The image has shape {shape} and type {dtype}.</source>
        <translation>Das Bild hat die Form {shape} und den Typ {dtype}.</translation>
    </message>
    <message>
        <source>The large converter needs the transformers package.</source>
        <translation>Der große Konverter braucht das Paket transformers.</translation>
    </message>
    <message>
        <source>The layers take {size:.1f} GiB; PSD holds 2.</source>
        <translation>Die Ebenen belegen {size:.1f} GiB; PSD fasst 2.</translation>
    </message>
    <message>
        <source>The licence is not accepted.</source>
        <translation>Die Lizenz ist nicht angenommen.</translation>
    </message>
    <message>
        <source>The list of files at {url} cannot be understood: {error}.</source>
        <translation>Die Liste der Dateien bei {url} ist nicht zu verstehen: {error}.</translation>
    </message>
    <message>
        <source>The list of files goes on at {url}, a stranger&apos;s.</source>
        <translation>Die Liste der Dateien geht bei {url} weiter, also bei Fremden.</translation>
    </message>
    <message>
        <source>The mask is empty: no pixel of it is as bright as half of white.</source>
        <translation>Die Maske ist leer: Kein Bildpunkt ist halb so hell wie Weiß.</translation>
    </message>
    <message>
        <source>The mask is {mask_width} x {mask_height} pixels and the photo {width} x {height}.</source>
        <translation>Die Maske hat {mask_width} x {mask_height} Bildpunkte und das Bild {width} x {height}.</translation>
    </message>
    <message>
        <source>The mask of this object is damaged.</source>
        <translation>Die Maske dieses Objekts ist beschädigt.</translation>
    </message>
    <message>
        <source>The mask takes {size} MB; at most {limit} can be kept.</source>
        <translation>Die Maske braucht {size} MB; höchstens {limit} können behalten werden.</translation>
    </message>
    <message>
        <source>The matte is empty: there is nothing to learn from.</source>
        <translation>Die Matte ist leer: Daraus ist nichts zu lernen.</translation>
    </message>
    <message>
        <source>The matte is too faint to be refined: nothing of it is half opaque.</source>
        <translation>Die Matte ist zu schwach, um verfeinert zu werden: Nichts davon ist halb deckend.</translation>
    </message>
    <message>
        <source>The model configuration has unknown keys: {unknown}.</source>
        <translation>Die Modellkonfiguration hat unbekannte Schlüssel: {unknown}.</translation>
    </message>
    <message>
        <source>The output folder is the input folder.</source>
        <translation>Der Ausgabeordner ist der Eingabeordner.</translation>
    </message>
    <message>
        <source>The photo&apos;s digest is malformed: {digest!r}.</source>
        <translation>Die Prüfsumme des Bildes ist fehlerhaft: {digest!r}.</translation>
    </message>
    <message>
        <source>The photo&apos;s path {path!r} leads out of the project&apos;s folder.</source>
        <translation>Der Pfad {path!r} des Bildes führt aus dem Ordner des Projekts hinaus.</translation>
    </message>
    <message>
        <source>The photo&apos;s size is {width} x {height}.</source>
        <translation>Die Größe des Bildes ist {width} x {height}.</translation>
    </message>
    <message>
        <source>The point grid of layer {layer} has shape {shape}.</source>
        <translation>Das Punktgitter der Stufe {layer} hat die Form {shape}.</translation>
    </message>
    <message>
        <source>The relative box ({shown}) is not valid.</source>
        <translation>Der relative Rahmen ({shown}) ist keiner.</translation>
    </message>
    <message>
        <source>The result would have {size} pixels; the limit is {limit} million.</source>
        <translation>Das Ergebnis hätte {size} Pixel; die Grenze ist {limit} Millionen.</translation>
    </message>
    <message>
        <source>The settings cannot be stored in {file}.</source>
        <translation>Die Einstellungen können nicht in {file} gespeichert werden.</translation>
    </message>
    <message>
        <source>The threshold is {threshold}.</source>
        <translation>Die Schwelle ist {threshold}.</translation>
    </message>
    <message>
        <source>The {what} ({x:g}, {y:g}) is outside the image ({width} x {height} pixels).</source>
        <translation>{what} ({x:g}, {y:g}) liegt außerhalb des Bildes ({width} x {height} Pixel).</translation>
    </message>
    <message>
        <source>The {what} ({x}, {y}) is not a number.</source>
        <translation>{what} ({x}, {y}) ist keine Zahl.</translation>
    </message>
    <message>
        <source>There are no candidates {candidates}.</source>
        <translation>Es gibt keine Kandidaten {candidates}.</translation>
    </message>
    <message>
        <source>There are no prompts for this photo.</source>
        <translation>Für dieses Bild ist nichts vorgegeben.</translation>
    </message>
    <message>
        <source>There is a model called {name} already.</source>
        <translation>Es gibt schon ein Modell namens {name}.</translation>
    </message>
    <message>
        <source>There is no background {backdrop}.</source>
        <translation>Es gibt keinen Hintergrund {backdrop}.</translation>
    </message>
    <message>
        <source>There is no candidate {candidate}.</source>
        <translation>Es gibt keinen Kandidaten {candidate}.</translation>
    </message>
    <message>
        <source>The official code does not predict for the mirrored image.</source>
        <translation>Der offizielle Code sagt nicht für das gespiegelte Bild vorher.</translation>
    </message>
    <message>
        <source>Choose another upsampling.</source>
        <translation>Wählen Sie eine andere Vergrößerung.</translation>
    </message>
    <message>
        <source>There is no folder {folder}.</source>
        <translation>Es gibt keinen Ordner {folder}.</translation>
    </message>
    <message>
        <source>There is no journal to merge.</source>
        <translation>Es gibt kein Protokoll zum Zusammenführen.</translation>
    </message>
    <message>
        <source>There is no kind of prompt.</source>
        <translation>Es gibt keine Art von Eingabe.</translation>
    </message>
    <message>
        <source>There is no label converter called {name!r}.</source>
        <translation>Es gibt keinen Maskenkonverter namens {name!r}.</translation>
    </message>
    <message>
        <source>There is no layout {layout!r}.</source>
        <translation>Es gibt keinen Aufbau {layout!r}.</translation>
    </message>
    <message>
        <source>There is no matte to merge.</source>
        <translation>Es gibt keine Maske zum Verschmelzen.</translation>
    </message>
    <message>
        <source>There is no model called {model!r}.</source>
        <translation>Es gibt kein Modell namens {model!r}.</translation>
    </message>
    <message>
        <source>There is no model called {name!r} to download.</source>
        <translation>Es gibt kein Modell namens {name!r} zum Laden.</translation>
    </message>
    <message>
        <source>There is no model called {name!r}.</source>
        <translation>Es gibt kein Modell namens {name!r}.</translation>
    </message>
    <message>
        <source>There is no photo in the folder {name}.</source>
        <translation>Im Ordner {name} ist kein Bild.</translation>
    </message>
    <message>
        <source>The folder holds the results of an earlier batch.</source>
        <translation>Der Ordner enthält die Ergebnisse einer früheren Stapelverarbeitung.</translation>
    </message>
    <message>
        <source>Give it as the input folder to process them.</source>
        <translation>Geben Sie ihn als Eingabeordner an, um sie zu verarbeiten.</translation>
    </message>
    <message>
        <source>It is a result, going by its name, of {original}.</source>
        <translation>Es ist, dem Namen nach, ein Ergebnis von {original}.</translation>
    </message>
    <message>
        <source>Rename it if it is a photo of its own.</source>
        <translation>Benennen Sie es um, wenn es ein eigenes Foto ist.</translation>
    </message>
    <message>
        <source>Files in the format {suffix} are not read.</source>
        <translation>Dateien im Format {suffix} werden nicht gelesen.</translation>
    </message>
    <message>
        <source>Convert it to JPEG, PNG or TIFF.</source>
        <translation>Wandeln Sie es in JPEG, PNG oder TIFF um.</translation>
    </message>
    <message>
        <source>There is no photo in {folder}.</source>
        <translation>In {folder} ist kein Bild.</translation>
    </message>
    <message>
        <source>There is no photo in {folder} that can be read; {name} is in another format.</source>
        <translation>In {folder} ist kein Foto, das gelesen werden kann; {name} hat ein anderes Format.</translation>
    </message>
    <message>
        <source>JPEG, PNG, TIFF, WebP, BMP and GIF files are read.</source>
        <translation>JPEG-, PNG-, TIFF-, WebP-, BMP- und GIF-Dateien werden gelesen.</translation>
    </message>
    <message>
        <source>JPEG, PNG, TIFF, WebP, BMP and GIF files are read. Say --recursive to look in the folders in it.</source>
        <translation>JPEG-, PNG-, TIFF-, WebP-, BMP- und GIF-Dateien werden gelesen. Mit --recursive wird auch in den Unterordnern gesucht.</translation>
    </message>
    <message>
        <source>There is no photo.</source>
        <translation>Es gibt kein Bild.</translation>
    </message>
    <message>
        <source>There is no prompt.</source>
        <translation>Es gibt keine Markierung.</translation>
    </message>
    <message>
        <source>There is not enough memory for {model} on {label}.</source>
        <translation>Für {model} ist auf {label} nicht genug Speicher.</translation>
    </message>
    <message>
        <source>There is not enough memory for {name}.</source>
        <translation>Für {name} ist nicht genug Speicher.</translation>
    </message>
    <message>
        <source>There is nothing to evaluate.</source>
        <translation>Es gibt nichts auszuwerten.</translation>
    </message>
    <message>
        <source>There is nothing to export: all is transparent.</source>
        <translation>Es gibt nichts zu exportieren: Alles ist durchsichtig.</translation>
    </message>
    <message>
        <source>There is nowhere that prompts could come from.</source>
        <translation>Es gibt nichts, woher Vorgaben kommen könnten.</translation>
    </message>
    <message>
        <source>These prompts cannot be read: {error}.</source>
        <translation>Diese Markierungen können nicht gelesen werden: {error}.</translation>
    </message>
    <message>
        <source>They last until zim-studio ends. Allow it to write there.</source>
        <translation>Sie gelten, bis zim-studio endet. Erlauben Sie, dort zu schreiben.</translation>
    </message>
    <message>
        <source>They must be (N, 2) and (N,).</source>
        <translation>Sie müssen (N, 2) und (N,) sein.</translation>
    </message>
    <message>
        <source>This is no run-length mask: {error}.</source>
        <translation>Das ist keine lauflängenkodierte Maske: {error}.</translation>
    </message>
    <message>
        <source>This machine has no device {requested}.</source>
        <translation>Dieser Rechner hat kein Gerät {requested}.</translation>
    </message>
    <message>
        <source>This model is in ONNX format, which needs ONNX Runtime.</source>
        <translation>Dieses Modell ist im ONNX-Format, das ONNX Runtime braucht.</translation>
    </message>
    <message>
        <source>The server cannot listen on {host}, port {port}: {reason}.</source>
        <translation>Der Server kann auf {host}, Port {port}, nicht lauschen: {reason}.</translation>
    </message>
    <message>
        <source>Choose another with --host and --port.</source>
        <translation>Wählen Sie mit --host und --port etwas anderes.</translation>
    </message>
    <message>
        <source>This needs the package {name}, which is not installed.</source>
        <translation>Dies braucht das Paket {name}, das nicht installiert ist.</translation>
    </message>
    <message>
        <source>Install it with: pip install &apos;zim-studio[serve]&apos;.</source>
        <translation>Installieren Sie es mit: pip install &apos;zim-studio[serve]&apos;.</translation>
    </message>
    <message>
        <source>This recipe has no {field}.</source>
        <translation>Dieses Rezept hat kein {field}.</translation>
    </message>
    <message>
        <source>This recipe has version {version!r}; known are 1 to {newest}.</source>
        <translation>Dieses Rezept hat die Version {version!r}; bekannt sind 1 bis {newest}.</translation>
    </message>
    <message>
        <source>Install the model, or choose its file yourself (--model FILE).</source>
        <translation>Installieren Sie das Modell, oder wählen Sie seine Datei selbst (--model DATEI).</translation>
    </message>
    <message>
        <source>This recipe&apos;s further prompts (also) are no list.</source>
        <translation>Die weiteren Prompts (also) dieses Rezepts sind keine Liste.</translation>
    </message>
    <message>
        <source>This recipe&apos;s trimap network is {name!r}, which is no name.</source>
        <translation>Das Trimap-Netz dieses Rezepts ist {name!r}, das ist kein Name.</translation>
    </message>
    <message>
        <source>Install the network, or choose its file yourself.</source>
        <translation>Installieren Sie das Netz, oder wählen Sie seine Datei selbst.</translation>
    </message>
    <message>
        <source>This recipe&apos;s candidate is {candidate!r}, which is no index.</source>
        <translation>Der Kandidat dieses Rezepts ist {candidate!r}, das ist kein Index.</translation>
    </message>
    <message>
        <source>This recipe&apos;s finish cannot be read: {error}.</source>
        <translation>Die Nachbearbeitung dieses Rezepts kann nicht gelesen werden: {error}.</translation>
    </message>
    <message>
        <source>This recipe&apos;s masks are no list of at most {limit}.</source>
        <translation>Die Masken dieses Rezepts sind keine Liste von höchstens {limit}.</translation>
    </message>
    <message>
        <source>This recipe&apos;s mirrored is {flip_tta!r}.</source>
        <translation>„mirrored“ dieses Rezepts ist {flip_tta!r}.</translation>
    </message>
    <message>
        <source>This recipe&apos;s model is {model!r}, which is no name.</source>
        <translation>Das Modell dieses Rezepts ist {model!r}, das ist kein Name.</translation>
    </message>
    <message>
        <source>This recipe&apos;s upsampling is {upsampling!r}.</source>
        <translation>Die Vergrößerung dieses Rezepts ist {upsampling!r}.</translation>
    </message>
    <message>
        <source>Too little memory is the usual cause: use fewer workers.</source>
        <translation>Meist reicht der Speicher nicht: weniger Arbeitsprozesse nehmen.</translation>
    </message>
    <message>
        <source>Trim or scale them, or save as .ora.</source>
        <translation>Beschneiden oder verkleinern Sie sie, oder speichern Sie als .ora.</translation>
    </message>
    <message>
        <source>Try {{name}}-{{what}}.</source>
        <translation>Versuchen Sie {{name}}-{{what}}.</translation>
    </message>
    <message>
        <source>Unset HF_HUB_OFFLINE, or add the model from disk.</source>
        <translation>Heben Sie HF_HUB_OFFLINE auf, oder fügen Sie das Modell von der Festplatte hinzu.</translation>
    </message>
    <message>
        <source>Use 0 to 3.</source>
        <translation>Verwenden Sie 0 bis 3.</translation>
    </message>
    <message>
        <source>Use 1 for positive, 0 for negative, -1 for padding.</source>
        <translation>Verwenden Sie 1 für positiv, 0 für negativ, -1 als Füllung.</translation>
    </message>
    <message>
        <source>Use a copy of it.</source>
        <translation>Verwenden Sie eine Kopie davon.</translation>
    </message>
    <message>
        <source>Use letters, digits, &quot;.&quot;, &quot;_&quot; and &quot;-&quot;, beginning with a letter or digit.</source>
        <translation>Verwenden Sie Buchstaben, Ziffern, &quot;.&quot;, &quot;_&quot; und &quot;-&quot;, und am Anfang einen Buchstaben oder eine Ziffer.</translation>
    </message>
    <message>
        <source>Use one of {suffixes}.</source>
        <translation>Verwenden Sie eines von {suffixes}.</translation>
    </message>
    <message>
        <source>Use recipes, a file of prompts, a relative box, or the main object.</source>
        <translation>Verwenden Sie das Studio, eine Datei mit Vorgaben, einen Rahmen oder das Hauptobjekt.</translation>
    </message>
    <message>
        <source>Use some of 0 to 3.</source>
        <translation>Verwenden Sie einige aus 0 bis 3.</translation>
    </message>
    <message>
        <source>Use the newer zim-studio that wrote it, or another output folder.</source>
        <translation>Verwenden Sie das neuere zim-studio, das es schrieb, oder einen anderen Ausgabeordner.</translation>
    </message>
    <message>
        <source>Use the newer zim-studio that wrote it.</source>
        <translation>Verwenden Sie das neuere zim-studio, das es geschrieben hat.</translation>
    </message>
    <message>
        <source>Use the original file, or convert it to safetensors.</source>
        <translation>Verwenden Sie die Originaldatei oder wandeln Sie sie in safetensors um.</translation>
    </message>
    <message>
        <source>Use true or false.</source>
        <translation>Nehmen Sie true oder false.</translation>
    </message>
    <message>
        <source>Wait for it, or stop it and download again.</source>
        <translation>Warten Sie darauf, oder halten Sie es an und laden Sie noch einmal.</translation>
    </message>
    <message>
        <source>Wait for it, stop it, or choose another folder for the results.</source>
        <translation>Warten Sie auf ihn, halten Sie ihn an, oder wählen Sie einen anderen Ordner für die Ergebnisse.</translation>
    </message>
    <message>
        <source>Wait, then download again: what has arrived is kept.</source>
        <translation>Warten Sie und laden Sie dann weiter: Was angekommen ist, bleibt.</translation>
    </message>
    <message>
        <source>What ONNX needs cannot be loaded: {error}.</source>
        <translation>Was ONNX braucht, lässt sich nicht laden: {error}.</translation>
    </message>
    <message>
        <source>Work on a cluster needs Ray, which is not installed.</source>
        <translation>Arbeit auf einem Cluster braucht Ray, das nicht installiert ist.</translation>
    </message>
    <message>
        <source>Write each field as {{name}}, and a brace itself twice.</source>
        <translation>Schreiben Sie jedes Feld als {{name}} und eine Klammer selbst doppelt.</translation>
    </message>
    <message>
        <source>a number from {low} to {high}</source>
        <translation>eine Zahl von {low} bis {high}</translation>
    </message>
    <message>
        <source>a random image</source>
        <translation>ein zufälliges Bild</translation>
    </message>
    <message>
        <source>an object has no prompts.</source>
        <translation>ein Objekt hat keine Vorgaben.</translation>
    </message>
    <message>
        <source>an object is malformed.</source>
        <translation>ein Objekt ist fehlerhaft.</translation>
    </message>
    <message>
        <source>an object&apos;s name is {name!r}.</source>
        <translation>der Name eines Objekts ist {name!r}.</translation>
    </message>
    <message>
        <source>it is a folder</source>
        <translation>es ist ein Ordner</translation>
    </message>
    <message>
        <source>its objects are no list with anything in it.</source>
        <translation>seine Objekte sind keine Liste, in der etwas steht.</translation>
    </message>
    <message>
        <source>its samples are {bits}-bit {kind}</source>
        <translation>seine Werte sind {kind} mit {bits} Bit</translation>
    </message>
    <message>
        <source>its colours are {kind}</source>
        <translation>seine Farben sind {kind}</translation>
    </message>
    <message>
        <source>its inks are others than CMYK</source>
        <translation>seine Druckfarben sind andere als CMYK</translation>
    </message>
    <message>
        <source>its {count} samples a pixel are of unknown kind</source>
        <translation>seine {count} Werte je Pixel sind von unbekannter Art</translation>
    </message>
    <message>
        <source>its compression is {kind}</source>
        <translation>seine Kompression ist {kind}</translation>
    </message>
    <message>
        <source>its predictor is {kind}</source>
        <translation>sein Prädiktor ist {kind}</translation>
    </message>
    <message>
        <source>nothing</source>
        <translation>nichts</translation>
    </message>
    <message>
        <source>objects[{index}] is malformed: {error}.</source>
        <translation>objects[{index}] ist fehlerhaft: {error}.</translation>
    </message>
    <message>
        <source>objects[{index}]: {reason}</source>
        <translation>objects[{index}]: {reason}</translation>
    </message>
    <message>
        <source>of white</source>
        <translation>von Weiß</translation>
    </message>
    <message>
        <source>one of {names}</source>
        <translation>eins von {names}</translation>
    </message>
    <message>
        <source>opaque</source>
        <translation>Deckkraft</translation>
    </message>
    <message>
        <source>part of the path is not a folder</source>
        <translation>ein Teil des Pfades ist kein Ordner</translation>
    </message>
    <message>
        <source>permission is denied</source>
        <translation>der Zugriff ist verweigert</translation>
    </message>
    <message>
        <source>point</source>
        <translation>Der Punkt</translation>
    </message>
    <message>
        <source>point_coords has shape {coords_shape} and point_labels {labels_shape}.</source>
        <translation>point_coords hat die Form {coords_shape} und point_labels {labels_shape}.</translation>
    </message>
    <message>
        <source>point_grids has {count} grids.</source>
        <translation>point_grids hat {count} Gitter.</translation>
    </message>
    <message>
        <source>point_labels is missing.</source>
        <translation>point_labels fehlt.</translation>
    </message>
    <message>
        <source>point_labels was given without point_coords.</source>
        <translation>point_labels ohne point_coords.</translation>
    </message>
    <message>
        <source>scribble&apos;s point</source>
        <translation>Der Punkt eines Strichs</translation>
    </message>
    <message>
        <source>stability_offset is {stability_offset:g}.</source>
        <translation>stability_offset ist {stability_offset:g}.</translation>
    </message>
    <message>
        <source>resolution</source>
        <translation>Auflösung</translation>
    </message>
    <message>
        <source>text</source>
        <translation>Text</translation>
    </message>
    <message>
        <source>transparent colour</source>
        <translation>transparente Farbe</translation>
    </message>
    <message>
        <source>the disk is full</source>
        <translation>der Datenträger ist voll</translation>
    </message>
    <message>
        <source>there is one already</source>
        <translation>es gibt sie schon</translation>
    </message>
    <message>
        <source>the disk is read-only</source>
        <translation>der Datenträger ist schreibgeschützt</translation>
    </message>
    <message>
        <source>the image is missing</source>
        <translation>das Bild fehlt</translation>
    </message>
    <message>
        <source>the label is {label!r}, neither 1 nor 0</source>
        <translation>label ist {label!r}, weder 1 noch 0</translation>
    </message>
    <message>
        <source>the name is too long</source>
        <translation>der Name ist zu lang</translation>
    </message>
    <message>
        <source>the object has two boxes; name a second one in &apos;object&apos;</source>
        <translation>das Objekt hat zwei Rahmen; nennen Sie ein zweites in „object“</translation>
    </message>
    <message>
        <source>the object {name!r} has two different units</source>
        <translation>das Objekt {name!r} hat zweierlei units</translation>
    </message>
    <message>
        <source>Give pixels from the top left, or the units fraction.</source>
        <translation>Geben Sie Pixel von links oben an, oder als Einheit (units) fraction.</translation>
    </message>
    <message>
        <source>{name} has the column {column!r} twice.</source>
        <translation>{name} hat die Spalte {column!r} zweimal.</translation>
    </message>
    <message>
        <source>Give each point and each box a row of its own.</source>
        <translation>Geben Sie jedem Punkt und jedem Rahmen eine eigene Zeile.</translation>
    </message>
    <message>
        <source>there are more than {limit} points or objects</source>
        <translation>es sind mehr als {limit} Punkte oder Objekte</translation>
    </message>
    <message>
        <source>the row has neither a point nor a box</source>
        <translation>die Zeile hat weder Punkt noch Rahmen</translation>
    </message>
    <message>
        <source>the units are {text!r}, neither pixels nor fraction</source>
        <translation>units ist {text!r}, weder pixels noch fraction</translation>
    </message>
    <message>
        <source>an entry with objects</source>
        <translation>ein Eintrag mit Objekten</translation>
    </message>
    <message>
        <source>an entry</source>
        <translation>ein Eintrag</translation>
    </message>
    <message>
        <source>an object with a recipe</source>
        <translation>ein Objekt mit einem Rezept</translation>
    </message>
    <message>
        <source>an object</source>
        <translation>ein Objekt</translation>
    </message>
    <message>
        <source>the units are {units!r}, neither pixels nor fraction.</source>
        <translation>units ist {units!r}, weder pixels noch fraction.</translation>
    </message>
    <message>
        <source>Correct the file.</source>
        <translation>Berichtigen Sie die Datei.</translation>
    </message>
    <message>
        <source>a scribble</source>
        <translation>ein Strich</translation>
    </message>
    <message>
        <source>the recipe</source>
        <translation>das Rezept</translation>
    </message>
    <message>
        <source>the recipe&apos;s finish</source>
        <translation>die Nachbearbeitung des Rezepts</translation>
    </message>
    <message>
        <source>the recipe&apos;s prompts</source>
        <translation>die Vorgaben des Rezepts</translation>
    </message>
    <message>
        <source>{owner} has the key {key!r}; allowed are {known}.</source>
        <translation>{owner} hat den Schlüssel {key!r}; erlaubt sind {known}.</translation>
    </message>
    <message>
        <source>there are more values than columns</source>
        <translation>es gibt mehr Werte als Spalten</translation>
    </message>
    <message>
        <source>there is no such file or folder</source>
        <translation>es gibt keine solche Datei und keinen solchen Ordner</translation>
    </message>
    <message>
        <source>three of 0 to 255</source>
        <translation>drei Zahlen von 0 bis 255</translation>
    </message>
    <message>
        <source>{column} is {text!r}, which is no number</source>
        <translation>{column} ist {text!r}, was keine Zahl ist</translation>
    </message>
    <message>
        <source>{count} systems are called {name!r}.</source>
        <translation>{count} Systeme heißen {name!r}.</translation>
    </message>
    <message>
        <source>{doing}, but gives other numbers: {output} differs by {largest:.2g} for {prompts} (allowed: {tolerance:g}). Nothing was written.</source>
        <translation>{doing}, gibt aber andere Zahlen: {output} weicht für {prompts} um {largest:.2g} ab (erlaubt: {tolerance:g}). Nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>{file} holds no tensor of Hiera&apos;s names.</source>
        <translation>{file} enthält keinen Tensor mit den Namen von Hiera.</translation>
    </message>
    <message>
        <source>{file} is damaged or no safetensors file ({error}).</source>
        <translation>{file} ist beschädigt oder keine safetensors-Datei ({error}).</translation>
    </message>
    <message>
        <source>{file} is of another architecture: {name} has shape {shape}, expected {expected}.</source>
        <translation>{file} hat eine andere Architektur: {name} hat die Form {shape}, erwartet wird {expected}.</translation>
    </message>
    <message>
        <source>{first} and {second} in {folder} do not belong together: {name} is {made_shape} in one and {needed_shape} in the other.</source>
        <translation>{first} und {second} in {folder} gehören nicht zusammen: {name} ist {made_shape} in der einen und {needed_shape} in der anderen.</translation>
    </message>
    <message>
        <source>{folder} cannot be made: {reason}.</source>
        <translation>{folder} kann nicht angelegt werden: {reason}.</translation>
    </message>
    <message>
        <source>{folder} has no {missing}.</source>
        <translation>{folder} hat kein {missing}.</translation>
    </message>
    <message>
        <source>{folder} holds ONNX graphs of another model than ZIM: {strange}.</source>
        <translation>{folder} enthält ONNX-Graphen eines anderen Modells als ZIM: {strange}.</translation>
    </message>
    <message>
        <source>{folder} is a file.</source>
        <translation>{folder} ist eine Datei.</translation>
    </message>
    <message>
        <source>{folder} is no folder.</source>
        <translation>{folder} ist kein Ordner.</translation>
    </message>
    <message>
        <source>Choose another name, or say overwrite=True.</source>
        <translation>Wählen Sie einen anderen Namen, oder geben Sie overwrite=True an.</translation>
    </message>
    <message>
        <source>{folder} was converted</source>
        <translation>{folder} wurde umgewandelt</translation>
    </message>
    <message>
        <source>{host} cannot be reached.</source>
        <translation>{host} ist nicht erreichbar.</translation>
    </message>
    <message>
        <source>{host} does not answer.</source>
        <translation>{host} antwortet nicht.</translation>
    </message>
    <message>
        <source>{host} does not give {name} (HTTP {code}).</source>
        <translation>{host} liefert {name} nicht (HTTP {code}).</translation>
    </message>
    <message>
        <source>{host} is too busy now (HTTP {code}).</source>
        <translation>{host} ist gerade überlastet (HTTP {code}).</translation>
    </message>
    <message>
        <source>{label:g} is no point label.</source>
        <translation>{label:g} ist keine Punktart.</translation>
    </message>
    <message>
        <source>{label} has too little memory for {model}: it runs on {new_label}.</source>
        <translation>{label} hat zu wenig Speicher für {model}: Es läuft auf {new_label}.</translation>
    </message>
    <message>
        <source>{location} ({image}): {reason}</source>
        <translation>{location} ({image}): {reason}</translation>
    </message>
    <message>
        <source>{location}: the image is missing.</source>
        <translation>{location}: das Bild fehlt.</translation>
    </message>
    <message>
        <source>{location}: {image} was there before.</source>
        <translation>{location}: {image} kam schon vor.</translation>
    </message>
    <message>
        <source>{matte} is empty: there is nothing to find.</source>
        <translation>{matte} ist leer: es gibt nichts zu finden.</translation>
    </message>
    <message>
        <source>{matte} is too faint: it has no box.</source>
        <translation>{matte} ist zu blass: es hat keinen Rahmen.</translation>
    </message>
    <message>
        <source>{matte} is too faint: there is nothing to click on.</source>
        <translation>{matte} ist zu blass: es gibt nichts, worauf man klicken kann.</translation>
    </message>
    <message>
        <source>{message} It runs on {new_label}.</source>
        <translation>{message} Es läuft auf {new_label}.</translation>
    </message>
    <message>
        <source>{message} {hint}</source>
        <translation>{message} {hint}</translation>
    </message>
    <message>
        <source>{model} does not answer with numbers: its weights are damaged.</source>
        <translation>{model} antwortet nicht mit Zahlen: Die Gewichte sind beschädigt.</translation>
    </message>
    <message>
        <source>{model} is a pair of ONNX graphs already.</source>
        <translation>{model} ist schon ein Paar von ONNX-Graphen.</translation>
    </message>
    <message>
        <source>{model} lies on another computer.</source>
        <translation>{model} liegt auf einem anderen Rechner.</translation>
    </message>
    <message>
        <source>{model} overflows in {precision}: it runs on {new_label}.</source>
        <translation>{model} läuft in {precision} über: Es läuft auf {new_label}.</translation>
    </message>
    <message>
        <source>{name!r} is no name for a model.</source>
        <translation>{name!r} ist kein Name für ein Modell.</translation>
    </message>
    <message>
        <source>{name} arrived damaged: its checksum is wrong.</source>
        <translation>{name} kam beschädigt an: Die Prüfsumme stimmt nicht.</translation>
    </message>
    <message>
        <source>{name} belongs to the program and cannot be removed.</source>
        <translation>{name} gehört zum Programm und kann nicht entfernt werden.</translation>
    </message>
    <message>
        <source>{name} cannot be used. {reason}</source>
        <translation>{name} kann nicht verwendet werden. {reason}</translation>
    </message>
    <message>
        <source>{name} cannot be used: {reason}.</source>
        <translation>{name} kann nicht verwendet werden: {reason}.</translation>
    </message>
    <message>
        <source>{name} cannot hold the transparency of a cut-out.</source>
        <translation>{name} kann die Durchsichtigkeit eines Freistellers nicht aufnehmen.</translation>
    </message>
    <message>
        <source>{name} does not end in an image format that can be written.</source>
        <translation>{name} endet nicht auf ein Bildformat, das geschrieben werden kann.</translation>
    </message>
    <message>
        <source>{name} has no image column.</source>
        <translation>{name} hat keine Spalte image.</translation>
    </message>
    <message>
        <source>{name} has no image embedding without prompts.</source>
        <translation>{name} hat ohne Prompts keine Bildeinbettung.</translation>
    </message>
    <message>
        <source>{name} has no prompts in it.</source>
        <translation>{name} enthält keine Vorgaben.</translation>
    </message>
    <message>
        <source>{name} has the unknown column {column!r}.</source>
        <translation>{name} hat die unbekannte Spalte {column!r}.</translation>
    </message>
    <message>
        <source>{name} has the version {found!r}, which is none.</source>
        <translation>{name} hat die Version {found!r}, was keine ist.</translation>
    </message>
    <message>
        <source>{name} holds at most {max_side} pixels a side; the photo is {size}.</source>
        <translation>{name} fasst höchstens {max_side} Pixel je Seite; das Bild hat {size}.</translation>
    </message>
    <message>
        <source>{name} holds neither a list of photos nor an object.</source>
        <translation>{name} enthält weder eine Liste von Bildern noch ein Objekt.</translation>
    </message>
    <message>
        <source>{name} is a SAM: it has none of the detail maps that the official pair of graphs passes on.</source>
        <translation>{name} ist ein SAM: Es hat keine der Detailkarten, die das offizielle Paar von Graphen weiterreicht.</translation>
    </message>
    <message>
        <source>{name} is a {kind} of version {found}; known are 1 to {version}.</source>
        <translation>{name} ist ein {kind} der Version {found}; bekannt sind 1 bis {version}.</translation>
    </message>
    <message>
        <source>{name} is an empty mask: no pixel is {threshold} % {what} or more.</source>
        <translation>{name} ist eine leere Maske: Kein Bildpunkt hat {threshold} % {what} oder mehr.</translation>
    </message>
    <message>
        <source>{name} is damaged or incomplete ({reason}).</source>
        <translation>{name} ist beschädigt oder unvollständig ({reason}).</translation>
    </message>
    <message>
        <source>{name} is damaged or no {kind} ({reason}).</source>
        <translation>{name} ist beschädigt oder kein {kind} ({reason}).</translation>
    </message>
    <message>
        <source>{name} is empty.</source>
        <translation>{name} ist leer.</translation>
    </message>
    <message>
        <source>{name} is malformed: {error}.</source>
        <translation>{name} ist fehlerhaft: {error}.</translation>
    </message>
    <message>
        <source>{name} is no JSON file: {error}.</source>
        <translation>{name} ist keine JSON-Datei: {error}.</translation>
    </message>
    <message>
        <source>{name} is no JSON file: {reason}.</source>
        <translation>{name} ist keine JSON-Datei: {reason}.</translation>
    </message>
    <message>
        <source>{name} is no ZIM that could be initialised from a SAM.</source>
        <translation>{name} ist kein ZIM, das mit einem SAM beginnen könnte.</translation>
    </message>
    <message>
        <source>{name} is no kind of model file that is known here.</source>
        <translation>{name} ist keine Art von Modelldatei, die hier bekannt ist.</translation>
    </message>
    <message>
        <source>{name} is no text in UTF-8.</source>
        <translation>{name} ist kein Text in UTF-8.</translation>
    </message>
    <message>
        <source>{name} is no {kind}.</source>
        <translation>{name} ist kein {kind}.</translation>
    </message>
    <message>
        <source>{name} is not a photo that zim-studio can read.</source>
        <translation>{name} ist kein Bild, das zim-studio lesen kann.</translation>
    </message>
    <message>
        <source>(height, width, 3)</source>
        <translation>(Höhe, Breite, 3)</translation>
    </message>
    <message>
        <source>(height, width)</source>
        <translation>(Höhe, Breite)</translation>
    </message>
    <message>
        <source>({height}, {width})</source>
        <translation>({height}, {width})</translation>
    </message>
    <message>
        <source>Give a number.</source>
        <translation>Geben Sie eine Zahl an.</translation>
    </message>
    <message>
        <source>Give a number of at least {low:g}.</source>
        <translation>Geben Sie eine Zahl ab {low:g} an.</translation>
    </message>
    <message>
        <source>Give a number from {low:g} to {high:g}.</source>
        <translation>Geben Sie eine Zahl von {low:g} bis {high:g} an.</translation>
    </message>
    <message>
        <source>Give a whole number from {low:g} to {high:g}.</source>
        <translation>Geben Sie eine ganze Zahl von {low:g} bis {high:g} an.</translation>
    </message>
    <message>
        <source>{name} is {value!r:.60}.</source>
        <translation>{name} ist {value!r:.60}.</translation>
    </message>
    <message>
        <source>Give one of {names}.</source>
        <translation>Geben Sie eines von {names} an.</translation>
    </message>
    <message>
        <source>{name} is not an array of numbers.</source>
        <translation>{name} ist kein Feld von Zahlen.</translation>
    </message>
    <message>
        <source>Give numbers in rows of one length, as a list or a NumPy array.</source>
        <translation>Geben Sie Zahlen in Zeilen gleicher Länge an, als Liste oder NumPy-Array.</translation>
    </message>
    <message>
        <source>{name} is of the type {kind}, not a NumPy array.</source>
        <translation>{name} ist vom Typ {kind}, kein NumPy-Array.</translation>
    </message>
    <message>
        <source>Give an array of the shape {shape}, such as numpy.asarray makes of a PIL image.</source>
        <translation>Geben Sie ein Array der Form {shape} an, wie numpy.asarray es aus einem PIL-Bild macht.</translation>
    </message>
    <message>
        <source>{name} has shape {shape} and type {dtype}.</source>
        <translation>{name} hat die Form {shape} und den Typ {dtype}.</translation>
    </message>
    <message>
        <source>Expected {shape} of {dtypes}.</source>
        <translation>Erwartet: {shape} aus {dtypes}.</translation>
    </message>
    <message>
        <source>{name} is not in the Hugging Face cache ({folder}), and HF_HUB_OFFLINE forbids to fetch it.</source>
        <translation>{name} liegt nicht im Hugging-Face-Zwischenspeicher ({folder}), und HF_HUB_OFFLINE verbietet, es zu holen.</translation>
    </message>
    <message>
        <source>{name} is of zim-tiny&apos;s architecture.</source>
        <translation>{name} hat die Architektur von zim-tiny.</translation>
    </message>
    <message>
        <source>{name} is the source photo, which is never overwritten.</source>
        <translation>{name} ist das Ausgangsbild, das nie überschrieben wird.</translation>
    </message>
    <message>
        <source>{name} is too large to be a file of prompts.</source>
        <translation>{name} ist zu groß für eine Datei mit Vorgaben.</translation>
    </message>
    <message>
        <source>{name} is too large to be a {kind}.</source>
        <translation>{name} ist zu groß für ein {kind}.</translation>
    </message>
    <message>
        <source>{name} is {value:g}.</source>
        <translation>{name} ist {value:g}.</translation>
    </message>
    <message>
        <source>{name} is {width} x {height} pixels and {photo} {photo_width} x {photo_height}.</source>
        <translation>{name} hat {width} x {height} Bildpunkte und {photo} {photo_width} x {photo_height}.</translation>
    </message>
    <message>
        <source>{name} must end in .safetensors.</source>
        <translation>{name} muss auf .safetensors enden.</translation>
    </message>
    <message>
        <source>{name} was exported</source>
        <translation>{name} wurde exportiert</translation>
    </message>
    <message>
        <source>{name} was not written correctly ({reason}).</source>
        <translation>{name} wurde nicht richtig geschrieben ({reason}).</translation>
    </message>
    <message>
        <source>{name}, entry {number}</source>
        <translation>{name}, Eintrag {number}</translation>
    </message>
    <message>
        <source>{name}, line {line}: {reason}.</source>
        <translation>{name}, Zeile {line}: {reason}.</translation>
    </message>
    <message>
        <source>{output} cannot be made: {reason}.</source>
        <translation>{output} kann nicht angelegt werden: {reason}.</translation>
    </message>
    <message>
        <source>{output} is a file.</source>
        <translation>{output} ist eine Datei.</translation>
    </message>
    <message>
        <source>{output} is the mask itself.</source>
        <translation>{output} ist die Maske selbst.</translation>
    </message>
    <message>
        <source>{path} arrived damaged: its checksum is wrong.</source>
        <translation>{path} kam beschädigt an: Die Prüfsumme stimmt nicht.</translation>
    </message>
    <message>
        <source>{path} cannot be deleted: {reason}.</source>
        <translation>{path} kann nicht gelöscht werden: {reason}.</translation>
    </message>
    <message>
        <source>{path} cannot be looked into ({reason}).</source>
        <translation>In {path} lässt sich nicht hineinsehen ({reason}).</translation>
    </message>
    <message>
        <source>{path} cannot be read: {error}.</source>
        <translation>{path} kann nicht gelesen werden: {error}.</translation>
    </message>
    <message>
        <source>{path} cannot be read: {reason}.</source>
        <translation>{path} kann nicht gelesen werden: {reason}.</translation>
    </message>
    <message>
        <source>{path} cannot be used. {reason}</source>
        <translation>{path} kann nicht verwendet werden. {reason}</translation>
    </message>
    <message>
        <source>{path} cannot be written: {reason}.</source>
        <translation>{path} kann nicht geschrieben werden: {reason}.</translation>
    </message>
    <message>
        <source>{path} does not exist.</source>
        <translation>{path} gibt es nicht.</translation>
    </message>
    <message>
        <source>{path} does not hold prompts: {error}.</source>
        <translation>{path} enthält keine Eingaben: {error}.</translation>
    </message>
    <message>
        <source>{path} encodes prompts in another way than SAM. Nothing was written.</source>
        <translation>{path} kodiert Markierungen anders als SAM. Nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>{path} exists already.</source>
        <translation>{path} gibt es schon.</translation>
    </message>
    <message>
        <source>{path} has a malformed configuration ({error}).</source>
        <translation>{path} hat eine fehlerhafte Konfiguration ({error}).</translation>
    </message>
    <message>
        <source>{path} has a malformed configuration.</source>
        <translation>{path} hat eine fehlerhafte Konfiguration.</translation>
    </message>
    <message>
        <source>{path} has the version {version!r}; known is {newest}.</source>
        <translation>{path} hat die Version {version!r}; bekannt ist {newest}.</translation>
    </message>
    <message>
        <source>{path} holds another run: {differences}.</source>
        <translation>{path} enthält einen anderen Lauf: {differences}.</translation>
    </message>
    <message>
        <source>{path} holds no label converter.</source>
        <translation>{path} enthält keinen Maskenkonverter.</translation>
    </message>
    <message>
        <source>{path} holds no named tensors.</source>
        <translation>{path} enthält keine benannten Tensoren.</translation>
    </message>
    <message>
        <source>{path} holds the rows of an earlier run.</source>
        <translation>{path} enthält die Zeilen eines früheren Laufs.</translation>
    </message>
    <message>
        <source>{path} holds weights but not for which architecture.</source>
        <translation>{path} enthält Gewichte, sagt aber nicht, für welche Architektur.</translation>
    </message>
    <message>
        <source>{path} is a device, not a file.</source>
        <translation>{path} ist ein Gerät, keine Datei.</translation>
    </message>
    <message>
        <source>{path} is a folder.</source>
        <translation>{path} ist ein Ordner.</translation>
    </message>
    <message>
        <source>{path} is damaged or holds more than tensors, which may be unsafe.</source>
        <translation>{path} ist beschädigt oder enthält mehr als Tensoren, was gefährlich sein kann.</translation>
    </message>
    <message>
        <source>{path} is damaged or no safetensors file ({error}).</source>
        <translation>{path} ist beschädigt oder keine safetensors-Datei ({error}).</translation>
    </message>
    <message>
        <source>{path} is missing, damaged or no ONNX graph ({reason}).</source>
        <translation>{path} fehlt, ist beschädigt oder kein ONNX-Graph ({reason}).</translation>
    </message>
    <message>
        <source>{path} is no JSON file: {error}.</source>
        <translation>{path} ist keine JSON-Datei: {error}.</translation>
    </message>
    <message>
        <source>{path} is no image that can be read.</source>
        <translation>{path} ist kein lesbares Bild.</translation>
    </message>
    <message>
        <source>{path} is no journal of an evaluation.</source>
        <translation>{path} ist kein Protokoll einer Auswertung.</translation>
    </message>
    <message>
        <source>{path} is not a SAM checkpoint: not all are tensors.</source>
        <translation>{path} ist kein SAM-Checkpoint: Nicht alles sind Tensoren.</translation>
    </message>
    <message>
        <source>{path} is of another architecture. Without a place here: {strange}. Without a counterpart there: {left}. Nothing was written.</source>
        <translation>{path} hat eine andere Architektur. Hier ohne Platz: {strange}. Dort ohne Gegenstück: {left}. Nichts wurde geschrieben.</translation>
    </message>
    <message>
        <source>{path} is of another architecture: {key} has shape {shape}, expected {expected}.</source>
        <translation>{path} hat eine andere Architektur: {key} hat die Form {shape}, erwartet wird {expected}.</translation>
    </message>
    <message>
        <source>{path} is in colour, which no label map is.</source>
        <translation>{path} ist farbig; eine Labelkarte ist das nie.</translation>
    </message>
    <message>
        <source>Save it as grey.</source>
        <translation>Speichern Sie sie in Graustufen.</translation>
    </message>
    <message>
        <source>{path} is no label map: its compression, {compression}, changes numbers.</source>
        <translation>{path} ist keine Labelkarte: Die Komprimierung, {compression}, ändert Zahlen.</translation>
    </message>
    <message>
        <source>Save the original label map without loss, as PNG does.</source>
        <translation>Speichern Sie die ursprüngliche Labelkarte verlustfrei, etwa als PNG.</translation>
    </message>
    <message>
        <source>{path} is too large: {error}</source>
        <translation>{path} ist zu groß: {error}</translation>
    </message>
    <message>
        <source>{path} is {width} x {height} pixels, but {name} is {columns} x {rows}.</source>
        <translation>{path} hat {width} x {height} Pixel, {name} aber {columns} x {rows}.</translation>
    </message>
    <message>
        <source>{path}, line {number}, is no row of an evaluation: {error}.</source>
        <translation>{path}, Zeile {number}, ist keine Zeile einer Auswertung: {error}.</translation>
    </message>
    <message>
        <source>{prompts} has no prompt of the kind {prompt}.</source>
        <translation>{prompts} hat keine Eingabe der Art {prompt}.</translation>
    </message>
    <message>
        <source>{prompts}: {reason}</source>
        <translation>{prompts}: {reason}</translation>
    </message>
    <message>
        <source>{root} holds no images with mattes.</source>
        <translation>{root} enthält keine Bilder mit Masken.</translation>
    </message>
    <message>
        <source>{root} is no folder.</source>
        <translation>{root} ist kein Ordner.</translation>
    </message>
    <message>
        <source>{self_name} has no prediction of {case_name} with {prompt}: looked for {file} in {folder}.</source>
        <translation>{self_name} hat keine Vorhersage von {case_name} mit {prompt}: gesucht wurde {file} in {folder}.</translation>
    </message>
    <message>
        <source>{source} is no pair of ONNX graphs.</source>
        <translation>{source} ist kein Paar von ONNX-Graphen.</translation>
    </message>
    <message>
        <source>Use point, box, clicks:N or mode1 to mode5.</source>
        <translation>Möglich sind point, box, clicks:N und mode1 bis mode5.</translation>
    </message>
    <message>
        <source>{text!r} is no kind of prompt.</source>
        <translation>{text!r} ist keine Art von Eingabe.</translation>
    </message>
    <message>
        <source>{text!r} is no refinement.</source>
        <translation>{text!r} ist keine Verfeinerung.</translation>
    </message>
    <message>
        <source>Use none, trimap, trimap:closed-form or trimap:NAME.</source>
        <translation>Verwenden Sie none, trimap, trimap:closed-form oder trimap:NAME.</translation>
    </message>
    <message>
        <source>{text!r} is not of the form NAME=DIR.</source>
        <translation>{text!r} hat nicht die Form NAME=DIR.</translation>
    </message>
    <message>
        <source>{text!r}: use 1 to {limit} clicks.</source>
        <translation>{text!r}: 1 bis {limit} Klicks angeben.</translation>
    </message>
    <message>
        <source>{title} is being downloaded already, by another program.</source>
        <translation>{title} wird schon heruntergeladen, von einem anderen Programm.</translation>
    </message>
    <message>
        <source>{model!r:.60} is not a model that takes prompts.</source>
        <translation>{model!r:.60} ist kein Modell, das Markierungen nimmt.</translation>
    </message>
    <message>
        <source>Give what load_model returns, or call ZimPredictor.from_pretrained.</source>
        <translation>Geben Sie an, was load_model zurückgibt, oder rufen Sie ZimPredictor.from_pretrained auf.</translation>
    </message>
    <message>
        <source>{name} is no file, and not in the Hugging Face hub&apos;s cache.</source>
        <translation>{name} ist keine Datei und liegt nicht im Cache des Hugging Face Hub.</translation>
    </message>
    <message>
        <source>Fetch it with the hub&apos;s own client (hf download {name}), or give a file or one of: {names}.</source>
        <translation>Laden Sie es mit dem Programm des Hubs (hf download {name}), oder geben Sie eine Datei an oder eines von: {names}.</translation>
    </message>
    <message>
        <source>{title} is not installed.</source>
        <translation>{title} ist nicht installiert.</translation>
    </message>
    <message>
        <source>Download it with: zim-studio models download {model}, or say download=True. Its licence is {licence}.</source>
        <translation>Laden Sie es mit: zim-studio models download {model}, oder geben Sie download=True an. Seine Lizenz ist {licence}.</translation>
    </message>
    <message>
        <source>{model!r:.60} is no name of a model.</source>
        <translation>{model!r:.60} ist kein Name eines Modells.</translation>
    </message>
    <message>
        <source>{url} cannot be reached: {error}.</source>
        <translation>{url} ist nicht zu erreichen: {error}.</translation>
    </message>
    <message>
        <source>{url} is another file now: {length:,} bytes instead of {expected:,}.</source>
        <translation>{url} ist jetzt eine andere Datei: {length:,} Bytes statt {expected:,}.</translation>
    </message>
    <message>
        <source>{url} is not a secure address.</source>
        <translation>{url} ist keine sichere Adresse.</translation>
    </message>
    <message>
        <source>{url} is not given (HTTP {code}).</source>
        <translation>{url} wird nicht herausgegeben (HTTP {code}).</translation>
    </message>
    <message>
        <source>{words} and {more} more</source>
        <translation>{words} und {more} weitere</translation>
    </message>
    <message>
        <source>{path} takes no image alone.</source>
        <translation>{path} nimmt kein Bild allein an.</translation>
    </message>
    <message>
        <source>Automatic models have one input of 1 x 3 x H x W.</source>
        <translation>Automatische Modelle haben einen Eingang von 1 x 3 x H x B.</translation>
    </message>
    <message>
        <source>{path} takes {kind}, not 32-bit numbers.</source>
        <translation>{path} nimmt {kind} an, keine 32-Bit-Zahlen.</translation>
    </message>
    <message>
        <source>Export the model in fp32.</source>
        <translation>Exportieren Sie das Modell in fp32.</translation>
    </message>
    <message>
        <source>{path} gives numbers that are not finite.</source>
        <translation>{path} liefert Zahlen, die nicht endlich sind.</translation>
    </message>
    <message>
        <source>{path} cannot be run ({reason}).</source>
        <translation>{path} lässt sich nicht ausführen ({reason}).</translation>
    </message>
    <message>
        <source>Check how its JSON file describes it, or download it again.</source>
        <translation>Prüfen Sie die Beschreibung in der JSON-Datei, oder laden Sie es neu herunter.</translation>
    </message>
    <message>
        <source>The output of {path} is no matte.</source>
        <translation>Die Ausgabe von {path} ist keine Matte.</translation>
    </message>
    <message>
        <source>Automatic models give one plane of H x W.</source>
        <translation>Automatische Modelle liefern eine Ebene von H x B.</translation>
    </message>
    <message>
        <source>There is no automatic model {name}.</source>
        <translation>Es gibt kein automatisches Modell {name}.</translation>
    </message>
    <message>
        <source>Put its ONNX file into {folder}; there are: {names}.</source>
        <translation>Legen Sie seine ONNX-Datei in {folder} ab; vorhanden: {names}.</translation>
    </message>
    <message>
        <source>How {path} takes an image is not known.</source>
        <translation>Wie {path} ein Bild annimmt, ist nicht bekannt.</translation>
    </message>
    <message>
        <source>Describe it in {json}: side, mean, std, sigmoid, stretch.</source>
        <translation>Beschreiben Sie es in {json}: side, mean, std, sigmoid, stretch.</translation>
    </message>
    <message>
        <source>{path} describes no network: {error}.</source>
        <translation>{path} beschreibt kein Netz: {error}.</translation>
    </message>
    <message>
        <source>It has side, mean, std, sigmoid and stretch.</source>
        <translation>Sie hat side, mean, std, sigmoid und stretch.</translation>
    </message>
    <message>
        <source>Download one under Model › Manage models, or with: zim-studio models download {name}</source>
        <translation>Laden Sie eines unter Modell › Modelle verwalten oder mit: zim-studio models download {name}</translation>
    </message>
    <message>
        <source>No trimap network is installed.</source>
        <translation>Es ist kein Trimap-Netz installiert.</translation>
    </message>
    <message>
        <source>{name} is no trimap network.</source>
        <translation>{name} ist kein Trimap-Netz.</translation>
    </message>
    <message>
        <source>The trimap network {name} is not installed.</source>
        <translation>Das Trimap-Netz {name} ist nicht installiert.</translation>
    </message>
    <message>
        <source>Expected ViTMatte&apos;s weights from the Hugging Face hub.</source>
        <translation>Erwartet werden ViTMattes Gewichte vom Hugging Face Hub.</translation>
    </message>
    <message>
        <source>{path} holds other things than tensors.</source>
        <translation>{path} enthält nicht nur Tensoren.</translation>
    </message>
    <message>
        <source>{path} holds no ViTMatte.</source>
        <translation>{path} enthält kein ViTMatte.</translation>
    </message>
    <message>
        <source>zim-studio export preset</source>
        <translation>Export-Voreinstellung von zim-studio</translation>
    </message>
    <message>
        <source>Marketplace, 2000 × 2000 on white</source>
        <translation>Marktplatz, 2000 × 2000 auf Weiß</translation>
    </message>
    <message>
        <source>Shop, 1600 × 2000 with shadow</source>
        <translation>Shop, 1600 × 2000 mit Schatten</translation>
    </message>
    <message>
        <source>Square, transparent</source>
        <translation>Quadrat, durchsichtig</translation>
    </message>
    <message>
        <source>Web, 1200 px</source>
        <translation>Web, 1200 px</translation>
    </message>
    <message>
        <source>{name!r} cannot be the name of a preset.</source>
        <translation>{name!r} kann nicht der Name einer Voreinstellung sein.</translation>
    </message>
    <message>
        <source>Use a name without / \ : * ? &quot; &lt; &gt; |, not too long and not empty.</source>
        <translation>Verwenden Sie einen Namen ohne / \ : * ? &quot; &lt; &gt; |, nicht zu lang und nicht leer.</translation>
    </message>
    <message>
        <source>{name} is the name of a built-in preset.</source>
        <translation>{name} ist der Name einer mitgelieferten Voreinstellung.</translation>
    </message>
    <message>
        <source>There is a preset {name} already.</source>
        <translation>Es gibt schon eine Voreinstellung {name}.</translation>
    </message>
    <message>
        <source>Choose another name, or delete that one first.</source>
        <translation>Wählen Sie einen anderen Namen, oder löschen Sie zuerst jene.</translation>
    </message>
    <message>
        <source>{name} is no usable preset. {reason}</source>
        <translation>{name} ist keine brauchbare Voreinstellung. {reason}</translation>
    </message>
    <message>
        <source>There is no preset {name!r}.</source>
        <translation>Es gibt keine Voreinstellung {name!r}.</translation>
    </message>
    <message>
        <source>Known are {names}; or name a .json file.</source>
        <translation>Bekannt sind {names}; oder nennen Sie eine .json-Datei.</translation>
    </message>
    <message>
        <source>It may have been renamed or deleted by another program.</source>
        <translation>Vielleicht hat ein anderes Programm sie umbenannt oder gelöscht.</translation>
    </message>
    <message>
        <source>It has the unknown field {key!r}.</source>
        <translation>Sie hat das unbekannte Feld {key!r}.</translation>
    </message>
    <message>
        <source>Correct the spelling, or use the newer zim-studio that wrote it.</source>
        <translation>Berichtigen Sie die Schreibweise, oder verwenden Sie das neuere zim-studio, das sie geschrieben hat.</translation>
    </message>
    <message>
        <source>No dependable shadow was found, and none was kept: the ground around the object is not even enough.</source>
        <translation>Es wurde kein verlässlicher Schatten gefunden und keiner behalten: Der Grund um das Objekt ist nicht gleichmäßig genug.</translation>
    </message>
    <message>
        <source>No shadow was kept: the photo shows none beside the object.</source>
        <translation>Es wurde kein Schatten behalten: Das Bild zeigt neben dem Objekt keinen.</translation>
    </message>
    <message>
        <source>it is a BMP of {bits} bits with compression {number}</source>
        <translation>es ist ein BMP mit {bits} Bit und der Kompression {number}</translation>
    </message>
    <message>
        <source>end marker</source>
        <translation>Endmarke</translation>
    </message>
    <message>
        <source>it is a JPEG with lossless, hierarchical or arithmetic coding</source>
        <translation>es ist ein JPEG mit verlustfreier, hierarchischer oder arithmetischer Kodierung</translation>
    </message>
    <message>
        <source>Save it as an ordinary JPEG first.</source>
        <translation>Speichern Sie es zuerst als gewöhnliches JPEG.</translation>
    </message>
    <message>
        <source>it is a JPEG of {depth} bits</source>
        <translation>es ist ein JPEG mit {depth} Bit</translation>
    </message>
    <message>
        <source>JFIF header</source>
        <translation>JFIF-Kopf</translation>
    </message>
    <message>
        <source>it is a camera&apos;s raw photo, of which only a preview could be read</source>
        <translation>es ist ein Rohfoto einer Kamera, von dem nur eine Vorschau gelesen werden könnte</translation>
    </message>
    <message>
        <source>Install the extra [raw] (pip install rawpy), or develop it in your raw converter and open the TIFF or JPEG.</source>
        <translation>Installieren Sie das Extra [raw] (pip install rawpy), oder entwickeln Sie es in Ihrem Raw-Konverter und öffnen Sie das TIFF oder JPEG.</translation>
    </message>
    <message>
        <source>{name} took longer than {n:.0f} s to read.</source>
        <translation>{name} zu lesen dauerte länger als {n:.0f} s.</translation>
    </message>
    <message>
        <source>It is probably damaged: convert it in another program.</source>
        <translation>Es ist wohl beschädigt: Wandeln Sie es in einem anderen Programm um.</translation>
    </message>
    <message>
        <source>{name} is damaged: it made its decoder crash.</source>
        <translation>{name} ist beschädigt: Der Dekoder stürzte daran ab.</translation>
    </message>
    <message>
        <source>Copy or download it again, or convert it in another program.</source>
        <translation>Kopieren oder laden Sie es erneut, oder wandeln Sie es in einem anderen Programm um.</translation>
    </message>
    <message>
        <source>it is an AVIF file, and this Pillow was built without AVIF</source>
        <translation>es ist eine AVIF-Datei, und dieses Pillow wurde ohne AVIF gebaut</translation>
    </message>
    <message>
        <source>Update Pillow (pip install -U pillow), or convert it to JPEG or PNG.</source>
        <translation>Aktualisieren Sie Pillow (pip install -U pillow), oder wandeln Sie es in JPEG oder PNG um.</translation>
    </message>
    <message>
        <source>it is a HEIC photo</source>
        <translation>es ist ein HEIC-Foto</translation>
    </message>
    <message>
        <source>Install the extra [heif] (pip install pillow-heif), or convert it to JPEG or PNG.</source>
        <translation>Installieren Sie das Extra [heif] (pip install pillow-heif), oder wandeln Sie es in JPEG oder PNG um.</translation>
    </message>
    <message>
        <source>its colours are of high dynamic range or of a wide gamut</source>
        <translation>seine Farben haben einen hohen Dynamikumfang oder einen großen Farbraum</translation>
    </message>
    <message>
        <source>Save it with an ICC profile, or as sRGB, first.</source>
        <translation>Speichern Sie es zuerst mit einem ICC-Profil oder als sRGB.</translation>
    </message>
    <message>
        <source>annotations of labelme</source>
        <translation>Annotationen von labelme</translation>
    </message>
    <message>
        <source>annotations in the format of SA-1B (SAM)</source>
        <translation>Annotationen im Format von SA-1B (SAM)</translation>
    </message>
    <message>
        <source>annotations in the format of COCO</source>
        <translation>Annotationen im Format von COCO</translation>
    </message>
    <message>
        <source>masks of SAM&apos;s automatic mask generator</source>
        <translation>Masken des automatischen Maskengenerators von SAM</translation>
    </message>
    <message>
        <source>results in the format of COCO</source>
        <translation>Ergebnisse im Format von COCO</translation>
    </message>
    <message>
        <source>annotations of Label Studio</source>
        <translation>Annotationen von Label Studio</translation>
    </message>
    <message>
        <source>annotations of the VGG Image Annotator</source>
        <translation>Annotationen des VGG Image Annotator</translation>
    </message>
    <message>
        <source>GeoJSON</source>
        <translation>GeoJSON</translation>
    </message>
    <message>
        <source>the recipe of one object</source>
        <translation>das Rezept eines Objekts</translation>
    </message>
    <message>
        <source>{name} holds {kind}, which is no file of prompts.</source>
        <translation>{name} enthält {kind} und ist keine Datei mit Vorgaben.</translation>
    </message>
    <message>
        <source>Write its boxes as [{{&quot;image&quot;: NAME, &quot;objects&quot;: [{{&quot;box&quot;: [left, top, right, bottom]}}]}}], in pixels.</source>
        <translation>Schreiben Sie die Rahmen als [{{&quot;image&quot;: NAME, &quot;objects&quot;: [{{&quot;box&quot;: [links, oben, rechts, unten]}}]}}], in Pixeln.</translation>
    </message>
    <message>
        <source>it has several depths a pixel</source>
        <translation>es hat mehrere Tiefen je Pixel</translation>
    </message>
    <message>
        <source>Flatten it in the compositor first.</source>
        <translation>Fassen Sie es erst im Compositing-Programm zusammen.</translation>
    </message>
    <message>
        <source>its channels are {names}</source>
        <translation>seine Kanäle sind {names}</translation>
    </message>
    <message>
        <source>Write red, green and blue, each at full size, as halves or floats.</source>
        <translation>Schreiben Sie Rot, Grün und Blau, jeden Kanal in voller Größe, als Half oder Float.</translation>
    </message>
    <message>
        <source>chromaticities</source>
        <translation>Farborte der Primärfarben</translation>
    </message>
    <message>
        <source>Save it as sRGB, or as PNG or TIFF, first.</source>
        <translation>Speichern Sie es erst als sRGB, oder als PNG oder TIFF.</translation>
    </message>
    <message>
        <source>it has a colour profile, which is not read from JPEG XL</source>
        <translation>es hat ein Farbprofil, das aus JPEG XL nicht gelesen wird</translation>
    </message>
    <message>
        <source>its colours are neither RGB nor grey</source>
        <translation>seine Farben sind weder RGB noch Grau</translation>
    </message>
    <message>
        <source>its colours are unknown</source>
        <translation>seine Farben sind unbekannt</translation>
    </message>
    <message>
        <source>light brighter than white</source>
        <translation>Licht heller als Weiß</translation>
    </message>
    <message>
        <source>values that are no numbers</source>
        <translation>Werte, die keine Zahlen sind</translation>
    </message>
    <message>
        <source>There is no model {name:.64} here.</source>
        <translation>Hier gibt es kein Modell {name:.64}.</translation>
    </message>
    <message>
        <source>Installed: {names}.</source>
        <translation>Installiert: {names}.</translation>
    </message>
    <message>
        <source>{kind} is no image.</source>
        <translation>{kind} ist kein Bild.</translation>
    </message>
    <message>
        <source>Give a path, the bytes of a file, a PIL image or a NumPy array.</source>
        <translation>Geben Sie einen Pfad, die Bytes einer Datei, ein PIL-Bild oder ein NumPy-Array an.</translation>
    </message>
    <message>
        <source>Give an image with pixels.</source>
        <translation>Geben Sie ein Bild mit Pixeln an.</translation>
    </message>
    <message>
        <source>{subject!r} names no automatic network.</source>
        <translation>{subject!r} bezeichnet kein automatisches Netz.</translation>
    </message>
    <message>
        <source>Give subject=True, False, or the name or file of a network.</source>
        <translation>Geben Sie subject=True, False oder den Namen oder die Datei eines Netzes an.</translation>
    </message>
    <message>
        <source>{model!r:.40} is no model.</source>
        <translation>{model!r:.40} ist kein Modell.</translation>
    </message>
    <message>
        <source>Give the name of an installed model, or the path of a weight file.</source>
        <translation>Geben Sie den Namen eines installierten Modells oder den Pfad einer Gewichtsdatei an.</translation>
    </message>
    <message>
        <source>The points are {points!r:.60}.</source>
        <translation>Die Punkte sind {points!r:.60}.</translation>
    </message>
    <message>
        <source>Give a list of (x, y), or of (x, y, label) with label 0 or 1.</source>
        <translation>Geben Sie eine Liste von (x, y) oder von (x, y, label) mit label 0 oder 1 an.</translation>
    </message>
    <message>
        <source>The box is {box!r:.60}.</source>
        <translation>Der Rahmen ist {box!r:.60}.</translation>
    </message>
    <message>
        <source>Give four numbers: left, top, right, bottom, in pixels.</source>
        <translation>Geben Sie vier Zahlen an: links, oben, rechts, unten, in Pixeln.</translation>
    </message>
    <message>
        <source>The background {colour!r:.60} is no colour.</source>
        <translation>Der Hintergrund {colour!r:.60} ist keine Farbe.</translation>
    </message>
    <message>
        <source>Give three whole numbers of 0 to 255, three floats of 0 to 1, #RRGGBB, or the Path of a photo.</source>
        <translation>Geben Sie drei ganze Zahlen von 0 bis 255, drei Kommazahlen von 0 bis 1, #RRGGBB oder den Path eines Fotos an.</translation>
    </message>
    <message>
        <source>{name} has no detail stage.</source>
        <translation>{name} hat keine Detailstufe.</translation>
    </message>
    <message>
        <source>Train one first: stage = detail.</source>
        <translation>Trainieren Sie zuerst eine: stage = detail.</translation>
    </message>
    <message>
        <source>Take a network with stages and for any size, such as convnext_tiny or resnet50.</source>
        <translation>Nehmen Sie ein Netz mit Stufen und für jede Größe, etwa convnext_tiny oder resnet50.</translation>
    </message>
    <message>
        <source>{name} needs the package timm, which is not installed.</source>
        <translation>{name} braucht das Paket timm, das nicht installiert ist.</translation>
    </message>
    <message>
        <source>Install it: pip install &apos;zim-studio[timm]&apos;.</source>
        <translation>Installieren Sie es: pip install &apos;zim-studio[timm]&apos;.</translation>
    </message>
    <message>
        <source>The package timm has no network called {name!r}.</source>
        <translation>Das Paket timm hat kein Netz namens {name!r}.</translation>
    </message>
    <message>
        <source>Its names are listed by timm.list_models().</source>
        <translation>Seine Namen nennt timm.list_models().</translation>
    </message>
    <message>
        <source>{name} takes images of one size only.</source>
        <translation>{name} nimmt nur Bilder einer einzigen Größe.</translation>
    </message>
    <message>
        <source>{name} has no features at strides 4, 8, 16 and 32.</source>
        <translation>{name} hat keine Merkmale mit den Schrittweiten 4, 8, 16 und 32.</translation>
    </message>
    <message>
        <source>The view of grey values is malformed: {error}.</source>
        <translation>Die Ansicht der Grauwerte ist fehlerhaft: {error}.</translation>
    </message>
    <message>
        <source>{images} and {masks} have no two files of one name.</source>
        <translation>In {images} und {masks} gibt es keine zwei Dateien gleichen Namens.</translation>
    </message>
    <message>
        <source>Name each mask as its image: {images}/scan.png and {masks}/scan.png; of volumes, make slices first: zim-studio slices.</source>
        <translation>Nennen Sie jede Maske wie ihr Bild: {images}/scan.png und {masks}/scan.png; aus Volumen machen Sie zuerst Schichten: zim-studio slices.</translation>
    </message>
    <message>
        <source>{path} is no DICOM file.</source>
        <translation>{path} ist keine DICOM-Datei.</translation>
    </message>
    <message>
        <source>Give a file with the mark DICM, as scanners and archives write.</source>
        <translation>Geben Sie eine Datei mit der Kennung DICM an, wie Geräte und Archive sie schreiben.</translation>
    </message>
    <message>
        <source>{path} is damaged or incomplete ({error}).</source>
        <translation>{path} ist beschädigt oder unvollständig ({error}).</translation>
    </message>
    <message>
        <source>Copy or export it again.</source>
        <translation>Kopieren oder exportieren Sie die Datei noch einmal.</translation>
    </message>
    <message>
        <source>{path} is a DICOM file without an image.</source>
        <translation>{path} ist eine DICOM-Datei ohne Bild.</translation>
    </message>
    <message>
        <source>Give the files of the images, not a report or an index (DICOMDIR).</source>
        <translation>Geben Sie die Dateien der Bilder an, nicht einen Bericht oder ein Verzeichnis (DICOMDIR).</translation>
    </message>
    <message>
        <source>{path}: colours of the kind {kind!r} are not read.</source>
        <translation>{path}: Farben der Art {kind!r} werden nicht gelesen.</translation>
    </message>
    <message>
        <source>Export it as grey (MONOCHROME2) or RGB.</source>
        <translation>Exportieren Sie sie in Graustufen (MONOCHROME2) oder als RGB.</translation>
    </message>
    <message>
        <source>{path} has colours of more than 8 bits.</source>
        <translation>{path} hat Farben mit mehr als 8 Bit.</translation>
    </message>
    <message>
        <source>Export it as 8-bit RGB.</source>
        <translation>Exportieren Sie sie als RGB mit 8 Bit.</translation>
    </message>
    <message>
        <source>{path} is compressed as {syntax}.</source>
        <translation>{path} ist als {syntax} komprimiert.</translation>
    </message>
    <message>
        <source>Decompress it first (gdcmconv --raw IN OUT), or install a decoder of pydicom&apos;s, such as pylibjpeg with pylibjpeg-openjpeg and pylibjpeg-libjpeg.</source>
        <translation>Entpacken Sie sie zuerst (gdcmconv --raw IN OUT), oder installieren Sie einen Decoder für pydicom, etwa pylibjpeg mit pylibjpeg-openjpeg und pylibjpeg-libjpeg.</translation>
    </message>
    <message>
        <source>{path} is damaged or no NIfTI file ({error}).</source>
        <translation>{path} ist beschädigt oder keine NIfTI-Datei ({error}).</translation>
    </message>
    <message>
        <source>{path} holds {count} volumes.</source>
        <translation>{path} enthält {count} Volumen.</translation>
    </message>
    <message>
        <source>Write one of them as a file of its own.</source>
        <translation>Schreiben Sie eines davon in eine eigene Datei.</translation>
    </message>
    <message>
        <source>{path} holds colours, not grey values.</source>
        <translation>{path} enthält Farben, keine Grauwerte.</translation>
    </message>
    <message>
        <source>Export it as one value a voxel.</source>
        <translation>Exportieren Sie es mit einem Wert je Voxel.</translation>
    </message>
    <message>
        <source>{path} does not say how the patient lies.</source>
        <translation>{path} gibt die Lage des Patienten nicht an.</translation>
    </message>
    <message>
        <source>Export it again, with a valid affine.</source>
        <translation>Exportieren Sie die Datei noch einmal, mit gültiger affiner Abbildung.</translation>
    </message>
    <message>
        <source>{path} holds {count} slices.</source>
        <translation>{path} enthält {count} Schichten.</translation>
    </message>
    <message>
        <source>Make images of them: zim-studio slices {path} -o FOLDER.</source>
        <translation>Machen Sie Bilder daraus: zim-studio slices {path} -o ORDNER.</translation>
    </message>
    <message>
        <source>{path} needs the package {package}.</source>
        <translation>{path} braucht das Paket {package}.</translation>
    </message>
    <message>
        <source>Install the extra [medical]: pip install &quot;zim-studio[medical]&quot;.</source>
        <translation>Installieren Sie das Extra [medical]: pip install &quot;zim-studio[medical]&quot;.</translation>
    </message>
    <message>
        <source>{path} has {sides} voxels, which cannot be used.</source>
        <translation>{path} hat {sides} Voxel und kann nicht verwendet werden.</translation>
    </message>
    <message>
        <source>The limit is {limit} million in all.</source>
        <translation>Höchstens {limit} Millionen sind möglich.</translation>
    </message>
    <message>
        <source>A window&apos;s level and width are numbers.</source>
        <translation>Mitte und Breite eines Fensters sind Zahlen.</translation>
    </message>
    <message>
        <source>A window&apos;s width is more than 0, not {width:g}.</source>
        <translation>Die Breite eines Fensters ist größer als 0, nicht {width:g}.</translation>
    </message>
    <message>
        <source>{text!r} is no window.</source>
        <translation>{text!r} ist kein Fenster.</translation>
    </message>
    <message>
        <source>Use LEVEL,WIDTH or one of {names}.</source>
        <translation>Schreiben Sie MITTE,BREITE oder einen der Namen {names}.</translation>
    </message>
    <message>
        <source>The margin is {margin}.</source>
        <translation>Der Rand ist {margin}.</translation>
    </message>
    <message>
        <source>It must be from 0 to {most} pixels.</source>
        <translation>Er muss 0 bis {most} Pixel sein.</translation>
    </message>
    <message>
        <source>There is no object to remove from {name}.</source>
        <translation>In {name} gibt es kein Objekt zu entfernen.</translation>
    </message>
    <message>
        <source>Add a point or a box on the object.</source>
        <translation>Setzen Sie einen Punkt auf das Objekt oder einen Rahmen darum.</translation>
    </message>
    <message>
        <source>The hole and what is to be avoided leave nothing of {name} to fill from.</source>
        <translation>Das Loch und was gemieden werden soll lassen von {name} nichts übrig, womit gefüllt werden könnte.</translation>
    </message>
    <message>
        <source>Avoid less, or choose a smaller margin.</source>
        <translation>Meiden Sie weniger, oder wählen Sie einen kleineren Rand.</translation>
    </message>
    <message>
        <source>The hole covers {name}: nothing is left to fill it from.</source>
        <translation>Das Loch bedeckt {name}: Es bleibt nichts, womit es zu füllen wäre.</translation>
    </message>
    <message>
        <source>Choose a smaller margin, or an object that leaves some background.</source>
        <translation>Wählen Sie einen kleineren Rand oder ein Objekt, neben dem Hintergrund bleibt.</translation>
    </message>
    <message>
        <source>{root} holds no holes to fill.</source>
        <translation>{root} enthält keine Löcher zum Füllen.</translation>
    </message>
    <message>
        <source>Give a folder with images/, masks/ and, where it is known, truth/.</source>
        <translation>Geben Sie einen Ordner mit images/, masks/ und, wo sie bekannt ist, truth/ an.</translation>
    </message>
    <message>
        <source>{mask} has no image in {folder}.</source>
        <translation>Zu {mask} gibt es kein Bild in {folder}.</translation>
    </message>
    <message>
        <source>Give the image of each mask the same name.</source>
        <translation>Geben Sie dem Bild jeder Maske denselben Namen.</translation>
    </message>
    <message>
        <source>{mask} has no hole.</source>
        <translation>{mask} hat kein Loch.</translation>
    </message>
    <message>
        <source>Give a mask that is white where the image is to be filled.</source>
        <translation>Geben Sie eine Maske an, die weiß ist, wo das Bild gefüllt werden soll.</translation>
    </message>
    <message>
        <source>The hole of {mask} leaves nothing of the image.</source>
        <translation>Das Loch von {mask} lässt nichts vom Bild übrig.</translation>
    </message>
    <message>
        <source>{folder} has no image {name}.</source>
        <translation>In {folder} gibt es kein Bild {name}.</translation>
    </message>
    <message>
        <source>The hole leaves nothing of the photo to fill it from.</source>
        <translation>Das Loch lässt vom Foto nichts, womit es zu füllen wäre.</translation>
    </message>
    <message>
        <source>Make the hole, or its margin, smaller, or remove less at once.</source>
        <translation>Machen Sie das Loch oder seinen Rand kleiner, oder entfernen Sie weniger auf einmal.</translation>
    </message>
    <message>
        <source>{path} is no image encoder of CLIP: it takes {takes} and gives {gives}.</source>
        <translation>{path} ist kein Bild-Encoder von CLIP: Er nimmt {takes} und gibt {gives}.</translation>
    </message>
    <message>
        <source>Give a graph that takes pixel_values and gives image_embeds.</source>
        <translation>Geben Sie einen Graphen an, der pixel_values nimmt und image_embeds gibt.</translation>
    </message>
    <message>
        <source>{path} is no inpainting network: it takes {found}.</source>
        <translation>{path} ist kein Inpainting-Netz: Es nimmt {found}.</translation>
    </message>
    <message>
        <source>Give a graph with the inputs image (1 x 3 x H x W) and mask (1 x 1 x H x W) of 32-bit numbers, as LaMa is published.</source>
        <translation>Geben Sie einen Graphen mit den Eingängen image (1 x 3 x H x W) und mask (1 x 1 x H x W) in 32-Bit-Zahlen an, wie LaMa veröffentlicht ist.</translation>
    </message>
    <message>
        <source>The output of {path} is no image.</source>
        <translation>Die Ausgabe von {path} ist kein Bild.</translation>
    </message>
    <message>
        <source>Inpainting networks give 1 x 3 x H x W finite numbers.</source>
        <translation>Inpainting-Netze geben 1 x 3 x H x W endliche Zahlen.</translation>
    </message>
    <message>
        <source>There is no inpainting network {name} here.</source>
        <translation>Es gibt hier kein Inpainting-Netz {name}.</translation>
    </message>
    <message>
        <source>Download one under Model › Manage models, or with: zim-studio models download {name}; or give an ONNX file.</source>
        <translation>Laden Sie eines unter Modell › Modelle verwalten herunter oder mit: zim-studio models download {name}; oder geben Sie eine ONNX-Datei an.</translation>
    </message>
    <message>
        <source>There are usable mattes of {count} photos; at least {least} are needed.{faults}</source>
        <translation>Es gibt brauchbare Masken von {count} Bildern; nötig sind mindestens {least}.{faults}</translation>
    </message>
    <message>
        <source>Correct further photos, and save each as a training pair.</source>
        <translation>Korrigieren Sie weitere Bilder, und speichern Sie jedes als Trainingspaar.</translation>
    </message>
    <message>
        <source>The photo of {name} is not in its folder.</source>
        <translation>Das Bild von {name} liegt nicht in dessen Ordner.</translation>
    </message>
    <message>
        <source>Open the project, locate the photo, and save it again.</source>
        <translation>Öffnen Sie das Projekt, zeigen Sie ihm das Bild, und speichern Sie es erneut.</translation>
    </message>
    <message>
        <source>The photo of {name} has been changed since.</source>
        <translation>Das Bild von {name} wurde seitdem geändert.</translation>
    </message>
    <message>
        <source>Open the project, correct its objects, and save it again.</source>
        <translation>Öffnen Sie das Projekt, korrigieren Sie seine Objekte, und speichern Sie es erneut.</translation>
    </message>
    <message>
        <source>The training ended without a result: {reason}</source>
        <translation>Das Training endete ohne Ergebnis: {reason}</translation>
    </message>
    <message>
        <source>it told no reason.</source>
        <translation>Es nannte keinen Grund.</translation>
    </message>
    <message>
        <source>If there is little memory, close other programs, and try again.</source>
        <translation>Wenn der Speicher knapp ist, schließen Sie andere Programme, und versuchen Sie es erneut.</translation>
    </message>
    <message>
        <source>Write a line {form} for each point, with at least one of the three metrics.</source>
        <translation>Schreiben Sie für jeden Punkt eine Zeile {form} mit mindestens einem der drei Maße.</translation>
    </message>
    <message>
        <source>{path} is no table of curves.</source>
        <translation>{path} ist keine Tabelle von Kurven.</translation>
    </message>
    <message>
        <source>{path}, line {number}: {name} is {value:g}, above {most:g}.</source>
        <translation>{path}, Zeile {number}: {name} ist {value:g}, mehr als {most:g}.</translation>
    </message>
    <message>
        <source>Give IoU from 0 to 1, and MSE in thousandths.</source>
        <translation>Geben Sie IoU von 0 bis 1 an und MSE in Tausendsteln.</translation>
    </message>
    <message>
        <source>{path}, line {number}, is no point.</source>
        <translation>{path}, Zeile {number}, ist kein Punkt.</translation>
    </message>
    <message>
        <source>{path}, line {number}, repeats {clicks} clicks of {system}.</source>
        <translation>{path}, Zeile {number}, wiederholt {clicks} Klicks von {system}.</translation>
    </message>
    <message>
        <source>{path} holds no point.</source>
        <translation>{path} enthält keinen Punkt.</translation>
    </message>
    <message>
        <source>{recipe!r:.60} is no recipe.</source>
        <translation>{recipe!r:.60} ist kein Rezept.</translation>
    </message>
    <message>
        <source>Give Recipe(PromptSet(box=Box(left, top, right, bottom))).</source>
        <translation>Geben Sie Recipe(PromptSet(box=Box(links, oben, rechts, unten))) an.</translation>
    </message>
    <message>
        <source>{model!r:.60} is not a model that can be saved.</source>
        <translation>{model!r:.60} ist kein Modell, das gespeichert werden kann.</translation>
    </message>
    <message>
        <source>Give what load_model returns of a ZIM, a SAM or zim-tiny.</source>
        <translation>Geben Sie an, was load_model für ein ZIM, ein SAM oder zim-tiny zurückgibt.</translation>
    </message>
    <message>
        <source>Choose another folder, or say overwrite=True.</source>
        <translation>Wählen Sie einen anderen Ordner, oder geben Sie overwrite=True an.</translation>
    </message>
    <message>
        <source>Install it with: pip install huggingface_hub.</source>
        <translation>Installieren Sie es mit: pip install huggingface_hub.</translation>
    </message>
    <message>
        <source>{repository} cannot be uploaded: {reason}.</source>
        <translation>{repository} kann nicht hochgeladen werden: {reason}.</translation>
    </message>
    <message>
        <source>Log in with: hf auth login, and check the name.</source>
        <translation>Melden Sie sich an mit: hf auth login, und prüfen Sie den Namen.</translation>
    </message>
    <message>
        <source>Made with an earlier zim-tiny: its clicks and boxes were kept, and the new one computes the edges again.</source>
        <translation>Mit einer früheren zim-tiny gemacht: Klicks und Rahmen blieben erhalten, die neue berechnet die Kanten neu.</translation>
    </message>
</context>
<context>
    <name>Actions</name>
    <message>
        <source>&amp;Open…</source>
        <translation>&amp;Öffnen …</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exportieren …</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>&amp;Rückgängig</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>&amp;Wiederherstellen</translation>
    </message>
    <message>
        <source>&amp;Delete prompt</source>
        <translation>Markierung &amp;löschen</translation>
    </message>
    <message>
        <source>&amp;Clear prompts</source>
        <translation>&amp;Alle Markierungen löschen</translation>
    </message>
    <message>
        <source>Open a photo or a project</source>
        <translation>Ein Bild oder ein Projekt öffnen</translation>
    </message>
    <message>
        <source>Open &amp;folder…</source>
        <translation>Ordner ö&amp;ffnen …</translation>
    </message>
    <message>
        <source>Open a folder of photos, one after the other</source>
        <translation>Einen Ordner mit Bildern öffnen, eines nach dem anderen</translation>
    </message>
    <message>
        <source>&amp;Save project</source>
        <translation>Projekt &amp;speichern</translation>
    </message>
    <message>
        <source>Save the objects and prompts to go on later</source>
        <translation>Objekte und Markierungen speichern, um später weiterzumachen</translation>
    </message>
    <message>
        <source>Save project &amp;as…</source>
        <translation>Projekt speichern &amp;unter …</translation>
    </message>
    <message>
        <source>Save the objects and prompts in a new file</source>
        <translation>Objekte und Markierungen in einer neuen Datei speichern</translation>
    </message>
    <message>
        <source>Pre&amp;vious photo</source>
        <translation>Voriges B&amp;ild</translation>
    </message>
    <message>
        <source>Show the folder&apos;s photos at the bottom</source>
        <translation>Die Bilder des Ordners unten zeigen</translation>
    </message>
    <message>
        <source>&amp;Paste photo</source>
        <translation>&amp;Bild einfügen</translation>
    </message>
    <message>
        <source>Open the photo that another program copied</source>
        <translation>Das Bild öffnen, das ein anderes Programm kopiert hat</translation>
    </message>
    <message>
        <source>&amp;Export…</source>
        <translation>&amp;Exportieren …</translation>
    </message>
    <message>
        <source>Save the cut-out, its matte, or layers</source>
        <translation>Freisteller, Maske oder Ebenen speichern</translation>
    </message>
    <message>
        <source>E&amp;xport again</source>
        <translation>&amp;Noch einmal exportieren</translation>
    </message>
    <message>
        <source>Export as the last time, without a dialog</source>
        <translation>Wie beim letzten Mal exportieren, ohne Rückfrage</translation>
    </message>
    <message>
        <source>&amp;Batch…</source>
        <translation>S&amp;tapel …</translation>
    </message>
    <message>
        <source>Cut objects out of many photos</source>
        <translation>Objekte aus vielen Bildern freistellen</translation>
    </message>
    <message>
        <source>&amp;Import mask…</source>
        <translation>Maske i&amp;mportieren…</translation>
    </message>
    <message>
        <source>Make an object of a mask of this photo</source>
        <translation>Aus einer Maske dieses Bildes ein Objekt machen</translation>
    </message>
    <message>
        <source>Save as trainin&amp;g pair…</source>
        <translation>Als Trainin&amp;gspaar speichern…</translation>
    </message>
    <message>
        <source>Save photo and matte for training</source>
        <translation>Bild und Matte speichern, um daraus zu lernen</translation>
    </message>
    <message>
        <source>Cop&amp;y cut-out</source>
        <translation>&amp;Freisteller kopieren</translation>
    </message>
    <message>
        <source>Copy the object with transparency</source>
        <translation>Das Objekt mit Durchsichtigkeit kopieren</translation>
    </message>
    <message>
        <source>Copy &amp;matte</source>
        <translation>&amp;Maske kopieren</translation>
    </message>
    <message>
        <source>Copy the object&apos;s alpha as a grey image</source>
        <translation>Das Alpha des Objekts als graues Bild kopieren</translation>
    </message>
    <message>
        <source>Dese&amp;lect</source>
        <translation>Auswahl auf&amp;heben</translation>
    </message>
    <message>
        <source>Cancel the current drag, or select nothing</source>
        <translation>Das laufende Ziehen abbrechen oder nichts auswählen</translation>
    </message>
    <message>
        <source>Select the main object of the photo</source>
        <translation>Das Hauptmotiv des Fotos auswählen</translation>
    </message>
    <message>
        <source>&amp;Find all objects</source>
        <translation>Alle O&amp;bjekte finden</translation>
    </message>
    <message>
        <source>Find everything in the photo, and pick</source>
        <translation>Alles im Bild finden und auswählen</translation>
    </message>
    <message>
        <source>&amp;New object</source>
        <translation>&amp;Neues Objekt</translation>
    </message>
    <message>
        <source>Begin another object</source>
        <translation>Ein weiteres Objekt beginnen</translation>
    </message>
    <message>
        <source>&amp;Duplicate object</source>
        <translation>Objekt &amp;duplizieren</translation>
    </message>
    <message>
        <source>Copy the selected objects</source>
        <translation>Die gewählten Objekte kopieren</translation>
    </message>
    <message>
        <source>&amp;Merge selected</source>
        <translation>Gewählte &amp;verschmelzen</translation>
    </message>
    <message>
        <source>Make one object of the selected ones</source>
        <translation>Aus den gewählten Objekten eines machen</translation>
    </message>
    <message>
        <source>Refine with &amp;the converter</source>
        <translation>Mit dem &amp;Konverter verfeinern</translation>
    </message>
    <message>
        <source>Compute a new matte from this matte&apos;s outline</source>
        <translation>Aus dem Umriss dieser Matte eine neue machen</translation>
    </message>
    <message>
        <source>Remo&amp;ve object from photo…</source>
        <translation>Objekt &amp;aus dem Foto entfernen …</translation>
    </message>
    <message>
        <source>Fill in what was behind the object</source>
        <translation>Auffüllen, was hinter dem Objekt war</translation>
    </message>
    <message>
        <source>De&amp;lete object</source>
        <translation>Objekt &amp;löschen</translation>
    </message>
    <message>
        <source>Delete the selected objects</source>
        <translation>Die gewählten Objekte löschen</translation>
    </message>
    <message>
        <source>&amp;Rename object</source>
        <translation>Objekt &amp;umbenennen</translation>
    </message>
    <message>
        <source>&amp;Colour of object…</source>
        <translation>&amp;Farbe des Objekts …</translation>
    </message>
    <message>
        <source>&amp;Show or hide object</source>
        <translation>Objekt &amp;zeigen oder verbergen</translation>
    </message>
    <message>
        <source>Show &amp;only this object</source>
        <translation>Nur di&amp;eses Objekt zeigen</translation>
    </message>
    <message>
        <source>Show only the active object, or all visible ones again</source>
        <translation>Nur das aktive Objekt zeigen oder wieder alle sichtbaren</translation>
    </message>
    <message>
        <source>Move object &amp;up</source>
        <translation>Objekt nach &amp;oben</translation>
    </message>
    <message>
        <source>Move object do&amp;wn</source>
        <translation>Objekt nach un&amp;ten</translation>
    </message>
    <message>
        <source>Object &amp;above</source>
        <translation>Objekt dar&amp;über</translation>
    </message>
    <message>
        <source>Go to the object above</source>
        <translation>Zum Objekt darüber wechseln</translation>
    </message>
    <message>
        <source>Object &amp;below</source>
        <translation>Ob&amp;jekt darunter</translation>
    </message>
    <message>
        <source>Go to the object below</source>
        <translation>Zum Objekt darunter wechseln</translation>
    </message>
    <message>
        <source>S&amp;top</source>
        <translation>Anhal&amp;ten</translation>
    </message>
    <message>
        <source>Stop opening, encoding, matting or searching</source>
        <translation>Öffnen, Kodieren, Freistellen oder Suchen anhalten</translation>
    </message>
    <message>
        <source>Zoom &amp;in</source>
        <translation>Ver&amp;größern</translation>
    </message>
    <message>
        <source>Zoom &amp;out</source>
        <translation>Ver&amp;kleinern</translation>
    </message>
    <message>
        <source>&amp;Fit to window</source>
        <translation>&amp;In Fenster einpassen</translation>
    </message>
    <message>
        <source>&amp;Actual size</source>
        <translation>Originalgröß&amp;e</translation>
    </message>
    <message>
        <source>One screen pixel for each pixel of the photo</source>
        <translation>Ein Bildschirmpixel für jedes Pixel des Bildes</translation>
    </message>
    <message>
        <source>1:1</source>
        <translation>1:1</translation>
    </message>
    <message>
        <source>Candidate &amp;1</source>
        <translation>Kandidat &amp;1</translation>
    </message>
    <message>
        <source>Candidate &amp;2</source>
        <translation>Kandidat &amp;2</translation>
    </message>
    <message>
        <source>Candidate &amp;3</source>
        <translation>Kandidat &amp;3</translation>
    </message>
    <message>
        <source>Candidate &amp;4</source>
        <translation>Kandidat &amp;4</translation>
    </message>
    <message>
        <source>&amp;Compare candidates</source>
        <translation>Kandidaten verglei&amp;chen</translation>
    </message>
    <message>
        <source>Show the chosen candidate and another one in two colours</source>
        <translation>Den gewählten Kandidaten und einen anderen in zwei Farben zeigen</translation>
    </message>
    <message>
        <source>&amp;Preview at the pointer</source>
        <translation>&amp;Vorschau am Zeiger</translation>
    </message>
    <message>
        <source>Show what a click at the pointer would give</source>
        <translation>Zeigen, was ein Klick am Zeiger ergäbe</translation>
    </message>
    <message>
        <source>S&amp;maller brush</source>
        <translation>&amp;Kleinerer Pinsel</translation>
    </message>
    <message>
        <source>Make the brush smaller</source>
        <translation>Den Pinsel verkleinern</translation>
    </message>
    <message>
        <source>&amp;Larger brush</source>
        <translation>&amp;Größerer Pinsel</translation>
    </message>
    <message>
        <source>Make the brush larger</source>
        <translation>Den Pinsel vergrößern</translation>
    </message>
    <message>
        <source>S&amp;ofter brush</source>
        <translation>&amp;Weicherer Pinsel</translation>
    </message>
    <message>
        <source>Give the brush a softer edge</source>
        <translation>Dem Pinsel einen weicheren Rand geben</translation>
    </message>
    <message>
        <source>Ha&amp;rder brush</source>
        <translation>&amp;Härterer Pinsel</translation>
    </message>
    <message>
        <source>Give the brush a harder edge</source>
        <translation>Dem Pinsel einen härteren Rand geben</translation>
    </message>
    <message>
        <source>Zoom to ob&amp;ject</source>
        <translation>&amp;Auf Objekt zoomen</translation>
    </message>
    <message>
        <source>Before an&amp;d after</source>
        <translation>V&amp;orher und nachher</translation>
    </message>
    <message>
        <source>Show the active object as large as it fits</source>
        <translation>Das aktive Objekt so groß zeigen, wie es passt</translation>
    </message>
    <message>
        <source>Nex&amp;t photo</source>
        <translation>Nä&amp;chstes Bild</translation>
    </message>
    <message>
        <source>Photos of the folde&amp;r</source>
        <translation>Bilder des O&amp;rdners</translation>
    </message>
    <message>
        <source>Delete the selected point, scribble, lasso or box</source>
        <translation>Den gewählten Punkt, Strich, das Lasso oder den Rahmen löschen</translation>
    </message>
    <message>
        <source>Delete all points, scribbles and lassos and the box</source>
        <translation>Alle Punkte, Striche und Lassos und den Rahmen löschen</translation>
    </message>
    <message>
        <source>Select sub&amp;ject</source>
        <translation>&amp;Hauptmotiv auswählen</translation>
    </message>
    <message>
        <source>&amp;Next view</source>
        <translation>&amp;Nächste Ansicht</translation>
    </message>
    <message>
        <source>&amp;Previous view</source>
        <translation>&amp;Vorige Ansicht</translation>
    </message>
    <message>
        <source>&amp;Next background</source>
        <translation>&amp;Nächster Hintergrund</translation>
    </message>
    <message>
        <source>Choose &amp;colour…</source>
        <translation>&amp;Farbe wählen …</translation>
    </message>
    <message>
        <source>Choose the colour behind cut-outs</source>
        <translation>Die Farbe hinter Freistellern wählen</translation>
    </message>
    <message>
        <source>Choose &amp;image…</source>
        <translation>&amp;Bild wählen …</translation>
    </message>
    <message>
        <source>Choose the background image</source>
        <translation>Das Bild hinter Freistellern wählen</translation>
    </message>
    <message>
        <source>Show the photo left of a line, the view right of it</source>
        <translation>Links einer Linie das Foto zeigen, rechts davon die Ansicht</translation>
    </message>
    <message>
        <source>&amp;Hide prompts</source>
        <translation>&amp;Markierungen ausblenden</translation>
    </message>
    <message>
        <source>Judge the edge without points, lines and boxes over it</source>
        <translation>Den Rand ohne Punkte, Linien und Rahmen beurteilen</translation>
    </message>
    <message>
        <source>&amp;Loupe</source>
        <translation>&amp;Lupe</translation>
    </message>
    <message>
        <source>Magnify photo, matte and cut-out beside the pointer</source>
        <translation>Bild, Maske und Freisteller neben dem Zeiger vergrößern</translation>
    </message>
    <message>
        <source>Na&amp;vigator</source>
        <translation>Naviga&amp;tor</translation>
    </message>
    <message>
        <source>Show a small overview while the photo is larger than the view</source>
        <translation>Eine kleine Übersicht zeigen, solange das Bild größer als die Ansicht ist</translation>
    </message>
    <message>
        <source>&amp;Evaluate models…</source>
        <translation>&amp;Modelle auswerten …</translation>
    </message>
    <message>
        <source>Measure models on a data set</source>
        <translation>Modelle an einem Datensatz messen</translation>
    </message>
    <message>
        <source>&amp;Adapt model to my corrections…</source>
        <translation>Modell an meine Korrekturen &amp;anpassen …</translation>
    </message>
    <message>
        <source>Train a copy of the model on corrected photos</source>
        <translation>Eine Kopie des Modells an korrigierten Bildern trainieren</translation>
    </message>
    <message>
        <source>&amp;Manage models…</source>
        <translation>Modelle &amp;verwalten …</translation>
    </message>
    <message>
        <source>Choose, download, add and remove models</source>
        <translation>Modelle wählen, laden, hinzufügen und entfernen</translation>
    </message>
    <message>
        <source>&amp;Settings…</source>
        <translation>E&amp;instellungen …</translation>
    </message>
    <message>
        <source>Choose theme, language, keys and more</source>
        <translation>Farbschema, Sprache, Tasten und mehr wählen</translation>
    </message>
    <message>
        <source>&amp;Keys and mouse</source>
        <translation>&amp;Tasten und Maus</translation>
    </message>
    <message>
        <source>Show all keys and what the mouse does</source>
        <translation>Alle Tasten zeigen und was die Maus tut</translation>
    </message>
    <message>
        <source>Open &amp;log folder</source>
        <translation>&amp;Protokollordner öffnen</translation>
    </message>
    <message>
        <source>Show the log files of the program</source>
        <translation>Zeigen, was das Programm notiert hat</translation>
    </message>
    <message>
        <source>&amp;About zim-studio</source>
        <translation>Ü&amp;ber zim-studio</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>&amp;Bearbeiten</translation>
    </message>
    <message>
        <source>&amp;Object</source>
        <translation>&amp;Objekt</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <source>&amp;Tools</source>
        <translation>&amp;Werkzeuge</translation>
    </message>
    <message>
        <source>&amp;Model</source>
        <translation>&amp;Modell</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
</context>
<context>
    <name>Activity</name>
    <message>
        <source>Opening…</source>
        <translation>Öffnet …</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>Speichert …</translation>
    </message>
    <message>
        <source>Reading the mask…</source>
        <translation>Maske wird gelesen…</translation>
    </message>
    <message>
        <source>Exporting…</source>
        <translation>Exportiert …</translation>
    </message>
    <message>
        <source>Copying…</source>
        <translation>Kopiert …</translation>
    </message>
    <message>
        <source>Loading the model…</source>
        <translation>Lädt das Modell …</translation>
    </message>
    <message>
        <source>Encoding…</source>
        <translation>Kodiert …</translation>
    </message>
    <message>
        <source>Matting…</source>
        <translation>Stellt frei …</translation>
    </message>
    <message>
        <source>Selecting the subject…</source>
        <translation>Hauptmotiv wird ausgewählt …</translation>
    </message>
    <message>
        <source>Filling…</source>
        <translation>Füllt …</translation>
    </message>
    <message>
        <source>Searching…</source>
        <translation>Sucht …</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Hält an …</translation>
    </message>
    <message>
        <source>{} %</source>
        <translation>{} %</translation>
    </message>
</context>
<context>
    <name>AdaptationController</name>
    <message>
        <source>Progress of the training</source>
        <translation>Fortschritt des Trainings</translation>
    </message>
    <message>
        <source>Stop the training; the best so far is kept</source>
        <translation>Das Training anhalten; das Beste bis jetzt bleibt</translation>
    </message>
    <message>
        <source>Compare with {}</source>
        <translation>Mit {} vergleichen</translation>
    </message>
    <message>
        <source>The model was adapted to your corrections.</source>
        <translation>Das Modell wurde an Ihre Korrekturen angepasst.</translation>
    </message>
    <message>
        <source>The training has ended without a better model.</source>
        <translation>Das Training ist ohne ein besseres Modell zu Ende.</translation>
    </message>
    <message>
        <source>The model could not be adapted.</source>
        <translation>Das Modell konnte nicht angepasst werden.</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Anzeigen</translation>
    </message>
    <message>
        <source>A model is being trained</source>
        <translation>Ein Modell wird trainiert</translation>
    </message>
    <message>
        <source>Discard the training and quit?</source>
        <translation>Das Training verwerfen und beenden?</translation>
    </message>
    <message>
        <source>To keep what was learned, choose Stop and keep in its window.</source>
        <translation>Um das Gelernte zu behalten, wählen Sie „Anhalten und behalten“ in seinem Fenster.</translation>
    </message>
    <message>
        <source>Discard and quit</source>
        <translation>Verwerfen und beenden</translation>
    </message>
</context>
<context>
    <name>AdaptationDialog</name>
    <message>
        <source>Adapt model to my corrections</source>
        <translation>Modell an meine Korrekturen anpassen</translation>
    </message>
    <message>
        <source>Held-out photos before and after</source>
        <translation>Zurückgehaltene Bilder vorher und nachher</translation>
    </message>
    <message>
        <source>&amp;Start</source>
        <translation>&amp;Starten</translation>
    </message>
    <message>
        <source>Train a copy of the model</source>
        <translation>Eine Kopie des Modells trainieren</translation>
    </message>
    <message>
        <source>S&amp;top and keep</source>
        <translation>An&amp;halten und behalten</translation>
    </message>
    <message>
        <source>End the training; the best so far becomes the new model</source>
        <translation>Das Training beenden; das Beste bis jetzt wird das neue Modell</translation>
    </message>
    <message>
        <source>&amp;Discard</source>
        <translation>&amp;Verwerfen</translation>
    </message>
    <message>
        <source>End the training without a new model</source>
        <translation>Das Training ohne ein neues Modell beenden</translation>
    </message>
    <message>
        <source>&amp;Use this model</source>
        <translation>Dieses Modell ver&amp;wenden</translation>
    </message>
    <message>
        <source>Matte the active object with this model, and new photos too</source>
        <translation>Das aktive Objekt mit diesem Modell freistellen und neue Bilder auch</translation>
    </message>
    <message>
        <source>C&amp;ompare on this photo</source>
        <translation>An diesem Bild ver&amp;gleichen</translation>
    </message>
    <message>
        <source>Add a copy of the active object on top, matted by the new model</source>
        <translation>Eine Kopie des aktiven Objekts darüberlegen, die das neue Modell freistellt</translation>
    </message>
    <message>
        <source>C&amp;lose</source>
        <translation>Sch&amp;ließen</translation>
    </message>
    <message>
        <source>Close; a training goes on (Esc)</source>
        <translation>Schließen; ein Training läuft weiter (Esc)</translation>
    </message>
    <message>
        <source>A copy of the model learns from photos that you have corrected. Some of them are held out to see whether it gets better at them. Nothing leaves this computer.</source>
        <translation>Eine Kopie des Modells lernt von Bildern, die Sie korrigiert haben. Einige werden zurückgehalten, um zu sehen, ob es bei ihnen besser wird. Nichts verlässt diesen Computer.</translation>
    </message>
    <message>
        <source>Reading the corrections…</source>
        <translation>Die Korrekturen werden gelesen …</translation>
    </message>
    <message>
        <source>Ending the training…</source>
        <translation>Das Training wird beendet …</translation>
    </message>
    <message>
        <source>Left out:
{}</source>
        <translation>Weggelassen:
{}</translation>
    </message>
    <message>
        <source>Learning from {} photos, {} more are held out…</source>
        <translation>Lernt von {} Bildern, {} weitere werden zurückgehalten …</translation>
    </message>
    <message>
        <source>Choosing the best weights…</source>
        <translation>Die besten Gewichte werden ausgewählt …</translation>
    </message>
    <message>
        <source>Step {}, {} % of the time, loss {}</source>
        <translation>Schritt {}, {} % der Zeit, Verlust {}</translation>
    </message>
    <message>
        <source>The held-out photos are not matted better by more than chance, so no model was made. Correct more photos, or give it more time.</source>
        <translation>Die zurückgehaltenen Bilder werden nicht deutlich besser freigestellt, deshalb wurde kein Modell erzeugt. Korrigieren Sie mehr Bilder, oder geben Sie mehr Zeit.</translation>
    </message>
    <message>
        <source>{} is among the models. On the held-out photos the IoU is {} (before: {}) from a box, {} ({}) from one click and {} ({}) from three. Below: photo, before, after, and your correction.</source>
        <translation>{} ist unter den Modellen. Bei den zurückgehaltenen Bildern ist die IoU {} (vorher: {}) mit einem Rahmen, {} ({}) mit einem Klick und {} ({}) mit dreien. Unten: Bild, vorher, nachher und Ihre Korrektur.</translation>
    </message>
    <message>
        <source>Discarded; no model was made.</source>
        <translation>Verworfen; es wurde kein Modell erzeugt.</translation>
    </message>
</context>
<context>
    <name>AdaptationForm</name>
    <message>
        <source>Folder of corrections</source>
        <translation>Ordner der Korrekturen</translation>
    </message>
    <message>
        <source>Folder with training pairs, projects, or both; nothing is changed</source>
        <translation>Ordner mit Trainingspaaren, Projekten oder beidem; nichts wird geändert</translation>
    </message>
    <message>
        <source>The model that is copied and trained further</source>
        <translation>Das Modell, das kopiert und weiter trainiert wird</translation>
    </message>
    <message>
        <source> min</source>
        <translation> min</translation>
    </message>
    <message>
        <source>Time for the training; it ends earlier if you stop it</source>
        <translation>Zeit für das Training; es endet früher, wenn Sie es anhalten</translation>
    </message>
    <message>
        <source>Name of the new model in the list of models</source>
        <translation>Name des neuen Modells in der Liste der Modelle</translation>
    </message>
    <message>
        <source>&amp;Corrections:</source>
        <translation>&amp;Korrekturen:</translation>
    </message>
    <message>
        <source>&amp;Model:</source>
        <translation>&amp;Modell:</translation>
    </message>
    <message>
        <source>&amp;Time:</source>
        <translation>&amp;Zeit:</translation>
    </message>
    <message>
        <source>&amp;Name:</source>
        <translation>&amp;Name:</translation>
    </message>
    <message>
        <source>my-model</source>
        <translation>mein-modell</translation>
    </message>
    <message>
        <source>Choose a folder of corrections.</source>
        <translation>Wählen Sie einen Ordner mit Korrekturen.</translation>
    </message>
    <message>
        <source>Found: {} training pairs, {} projects.</source>
        <translation>Gefunden: {} Trainingspaare, {} Projekte.</translation>
    </message>
    <message>
        <source>{} corrected photos are too few; at least {} are needed. Correct a photo and choose File › Save as training pair.</source>
        <translation>{} korrigierte Bilder sind zu wenige; nötig sind mindestens {}. Korrigieren Sie ein Bild, und wählen Sie Datei › Als Trainingspaar speichern.</translation>
    </message>
    <message>
        <source>Choose a folder</source>
        <translation>Einen Ordner wählen</translation>
    </message>
</context>
<context>
    <name>Banner</name>
    <message>
        <source>Close all messages</source>
        <translation>Alle Meldungen schließen</translation>
    </message>
    <message>
        <source>Close this message</source>
        <translation>Diese Meldung schließen</translation>
    </message>
    <message>
        <source>Close all {}</source>
        <translation>Alle {} schließen</translation>
    </message>
</context>
<context>
    <name>BatchController</name>
    <message>
        <source>Progress of the batch</source>
        <translation>Fortschritt des Stapels</translation>
    </message>
    <message>
        <source>Stop the batch; what is done is kept</source>
        <translation>Den Stapel anhalten; was fertig ist, bleibt</translation>
    </message>
    <message>
        <source>The batch was ended by an error.</source>
        <translation>Ein Fehler hat den Stapel beendet.</translation>
    </message>
    <message>
        <source>The batch has ended: {} photos, {} of them failed.</source>
        <translation>Der Stapel ist fertig: {} Bilder, davon {} misslungen.</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Anzeigen</translation>
    </message>
    <message>
        <source>A batch is running</source>
        <translation>Ein Stapel läuft</translation>
    </message>
    <message>
        <source>Stop the batch and quit?</source>
        <translation>Den Stapel anhalten und beenden?</translation>
    </message>
    <message>
        <source>What is done is kept; the same batch goes on from there.</source>
        <translation>Was fertig ist, bleibt; derselbe Stapel geht von dort aus weiter.</translation>
    </message>
    <message>
        <source>Stop and quit</source>
        <translation>Anhalten und beenden</translation>
    </message>
</context>
<context>
    <name>BatchDialog</name>
    <message>
        <source>Batch</source>
        <translation>Stapel</translation>
    </message>
    <message>
        <source>Photos of the batch</source>
        <translation>Bilder des Stapels</translation>
    </message>
    <message>
        <source>Only the selected photos</source>
        <translation>Nur die ausgewählten Bilder</translation>
    </message>
    <message>
        <source>Skip the other photos for now</source>
        <translation>Die anderen Bilder für später lassen</translation>
    </message>
    <message>
        <source>Photos processed</source>
        <translation>Erledigte Bilder</translation>
    </message>
    <message>
        <source>&amp;Start</source>
        <translation>&amp;Starten</translation>
    </message>
    <message>
        <source>Begin, or go on where an earlier run ended</source>
        <translation>Anfangen, oder weitermachen, wo ein früherer Lauf endete</translation>
    </message>
    <message>
        <source>&amp;Pause</source>
        <translation>&amp;Pause</translation>
    </message>
    <message>
        <source>Pause before the next photo</source>
        <translation>Vor dem nächsten Bild warten</translation>
    </message>
    <message>
        <source>S&amp;top</source>
        <translation>Anhal&amp;ten</translation>
    </message>
    <message>
        <source>End the run; what is done is kept</source>
        <translation>Den Lauf beenden; was fertig ist, bleibt</translation>
    </message>
    <message>
        <source>Open in the st&amp;udio</source>
        <translation>Im St&amp;udio öffnen</translation>
    </message>
    <message>
        <source>Open the selected photo (Enter or double click)</source>
        <translation>Das ausgewählte Bild öffnen (Eingabe oder Doppelklick)</translation>
    </message>
    <message>
        <source>Open &amp;folder</source>
        <translation>&amp;Ordner öffnen</translation>
    </message>
    <message>
        <source>Show the folder with the results</source>
        <translation>Den Ordner mit den Ergebnissen zeigen</translation>
    </message>
    <message>
        <source>&amp;Close</source>
        <translation>S&amp;chließen</translation>
    </message>
    <message>
        <source>Close; a run goes on (Esc)</source>
        <translation>Schließen; ein Lauf geht weiter (Esc)</translation>
    </message>
    <message>
        <source>{} from the studio</source>
        <translation>{} aus dem Studio</translation>
    </message>
    <message>
        <source>{} from the file</source>
        <translation>{} aus der Datei</translation>
    </message>
    <message>
        <source>{} with the box</source>
        <translation>{} mit dem Rahmen</translation>
    </message>
    <message>
        <source>{} by their main object</source>
        <translation>{} nach ihrem Hauptobjekt</translation>
    </message>
    <message>
        <source>{} made before</source>
        <translation>{} schon fertig</translation>
    </message>
    <message>
        <source>{} skipped</source>
        <translation>{} übersprungen</translation>
    </message>
    <message>
        <source>{} made, {} made before, {} skipped, {} failed.</source>
        <translation>{} gemacht, {} schon fertig, {} übersprungen, {} misslungen.</translation>
    </message>
    <message>
        <source>{} that cannot be processed</source>
        <translation>{} nicht lesbar oder nicht zu beantworten</translation>
    </message>
    <message>
        <source>{} photos: {}.</source>
        <translation>{} Bilder: {}.</translation>
    </message>
    <message>
        <source>Stopped; Start goes on.</source>
        <translation>Angehalten; „Starten“ macht weiter.</translation>
    </message>
    <message>
        <source>The report is {}.</source>
        <translation>Der Bericht ist {}.</translation>
    </message>
    <message>
        <source>&amp;Go on</source>
        <translation>&amp;Weiter</translation>
    </message>
</context>
<context>
    <name>BatchForm</name>
    <message>
        <source>Settings of the batch</source>
        <translation>Einstellungen des Stapels</translation>
    </message>
    <message>
        <source>Which photos to process</source>
        <translation>Welche Bilder genommen werden</translation>
    </message>
    <message>
        <source>In a folder</source>
        <translation>In einem Ordner</translation>
    </message>
    <message>
        <source>Folder with the photos</source>
        <translation>Ordner mit den Bildern</translation>
    </message>
    <message>
        <source>Also folders in it</source>
        <translation>Auch Ordner darin</translation>
    </message>
    <message>
        <source>The results keep the same tree of folders</source>
        <translation>Die Ergebnisse behalten denselben Baum von Ordnern</translation>
    </message>
    <message>
        <source>Objects from the studio and from projects</source>
        <translation>Was im Studio gemacht wurde, und Projekte</translation>
    </message>
    <message>
        <source>Use the objects of photos that were edited in the studio before</source>
        <translation>Die Objekte von Bildern nehmen, die hier schon bearbeitet wurden</translation>
    </message>
    <message>
        <source>A file</source>
        <translation>Eine Datei</translation>
    </message>
    <message>
        <source>Take prompts from a CSV or JSON file</source>
        <translation>Vorgaben aus einer CSV- oder JSON-Datei nehmen</translation>
    </message>
    <message>
        <source>Columns: image, object, x, y, label, left, top, right, bottom</source>
        <translation>Spalten: image, object, x, y, label, left, top, right, bottom</translation>
    </message>
    <message>
        <source>File of prompts</source>
        <translation>Datei mit Vorgaben</translation>
    </message>
    <message>
        <source>One box for all</source>
        <translation>Ein Rahmen für alle</translation>
    </message>
    <message>
        <source>Use the same box for every other photo</source>
        <translation>Denselben Rahmen auf jedes andere Bild legen</translation>
    </message>
    <message>
        <source>Left edge of the box, in percent of the width</source>
        <translation>Linke Kante des Rahmens, in Prozent der Breite</translation>
    </message>
    <message>
        <source>Top edge of the box, in percent of the height</source>
        <translation>Obere Kante des Rahmens, in Prozent der Höhe</translation>
    </message>
    <message>
        <source>Right edge of the box, in percent of the width</source>
        <translation>Rechte Kante des Rahmens, in Prozent der Breite</translation>
    </message>
    <message>
        <source>Bottom edge of the box, in percent of the height</source>
        <translation>Untere Kante des Rahmens, in Prozent der Höhe</translation>
    </message>
    <message>
        <source>The main object, as by Select subject</source>
        <translation>Das Hauptmotiv, wie mit „Hauptmotiv auswählen“</translation>
    </message>
    <message>
        <source>Find the main object of every other photo; slow without a network</source>
        <translation>Das Hauptmotiv jedes anderen Fotos finden; langsam ohne Netz</translation>
    </message>
    <message>
        <source> %</source>
        <translation> %</translation>
    </message>
    <message>
        <source>Model for prompts that do not name one</source>
        <translation>Modell für Vorgaben, die keines nennen</translation>
    </message>
    <message>
        <source>Clean edge</source>
        <translation>Sauberer Rand</translation>
    </message>
    <message>
        <source>Makes the inside opaque and the background transparent where the model nearly does; objects from the studio keep their own setting</source>
        <translation>Macht das Innere deckend und den Hintergrund durchsichtig, wo das Modell es beinahe tut; Objekte aus dem Studio behalten ihre Einstellung</translation>
    </message>
    <message>
        <source>Where models run, also in the window</source>
        <translation>Wo Modelle laufen, auch im Fenster</translation>
    </message>
    <message>
        <source>Best available</source>
        <translation>Das beste vorhandene</translation>
    </message>
    <message>
        <source>Folder for results, table and contact sheet</source>
        <translation>Ordner für Ergebnisse, Tabelle und Kontaktbogen</translation>
    </message>
    <message>
        <source>Photos</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>Vorgaben</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>Ergebnisse</translation>
    </message>
    <message>
        <source>Photos and prompts</source>
        <translation>Bilder und Vorgaben</translation>
    </message>
    <message>
        <source>Format and size</source>
        <translation>Format und Größe</translation>
    </message>
    <message>
        <source>In the strip of the window ({})</source>
        <translation>Im Streifen des Fensters ({})</translation>
    </message>
    <message>
        <source>Choose a folder of photos</source>
        <translation>Einen Ordner mit Bildern wählen</translation>
    </message>
    <message>
        <source>Choose a folder for the results</source>
        <translation>Einen Ordner für die Ergebnisse wählen</translation>
    </message>
    <message>
        <source>Choose a file of prompts</source>
        <translation>Eine Datei mit Vorgaben wählen</translation>
    </message>
    <message>
        <source>Prompts (*.csv *.tsv *.json)</source>
        <translation>Vorgaben (*.csv *.tsv *.json)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Alle Dateien (*)</translation>
    </message>
</context>
<context>
    <name>BatchTable</name>
    <message>
        <source>Photo</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>Vorgaben</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartet</translation>
    </message>
    <message>
        <source>Matting…</source>
        <translation>Stellt frei …</translation>
    </message>
    <message>
        <source>Made</source>
        <translation>Gemacht</translation>
    </message>
    <message>
        <source>Made before</source>
        <translation>Schon fertig</translation>
    </message>
    <message>
        <source>No prompts</source>
        <translation>Ohne Vorgaben</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Misslungen</translation>
    </message>
    <message>
        <source>Studio</source>
        <translation>Studio</translation>
    </message>
    <message>
        <source>Project</source>
        <translation>Projekt</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>Box</source>
        <translation>Rahmen</translation>
    </message>
    <message>
        <source>Removed colour</source>
        <translation>Entfernte Farbe</translation>
    </message>
    <message>
        <source>Main object</source>
        <translation>Hauptobjekt</translation>
    </message>
    <message>
        <source>{} ms</source>
        <translation>{} ms</translation>
    </message>
</context>
<context>
    <name>BrushOptions</name>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Diameter of the brush, in pixels of the photo: [ and ]</source>
        <translation>Durchmesser des Pinsels in Bildpixeln: [ und ]</translation>
    </message>
    <message>
        <source>Hardness</source>
        <translation>Härte</translation>
    </message>
    <message>
        <source>Strength</source>
        <translation>Stärke</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>Farben</translation>
    </message>
    <message>
        <source>100 % adds and erases whatever the colour; less keeps to colours like those under the middle of the brush</source>
        <translation>100 % deckt und radiert gleich welche Farbe; weniger hält sich an Farben wie unter der Mitte des Pinsels</translation>
    </message>
    <message>
        <source>100 % has a sharp edge: Shift + [ and Shift + ]</source>
        <translation>100 % hat einen scharfen Rand: Umschalt + [ und Umschalt + ]</translation>
    </message>
    <message>
        <source>Effect of one stroke</source>
        <translation>Wie viel ein Strich bewirkt</translation>
    </message>
</context>
<context>
    <name>CandidateStrip</name>
    <message>
        <source>Candidates</source>
        <translation>Kandidaten</translation>
    </message>
    <message>
        <source>Choose candidate</source>
        <translation>Kandidat wählen</translation>
    </message>
    <message>
        <source>Candidate {}</source>
        <translation>Kandidat {}</translation>
    </message>
    <message>
        <source>{} · {}</source>
        <translation>{} · {}</translation>
    </message>
    <message>
        <source>Candidate {}, predicted quality {}; key {}</source>
        <translation>Kandidat {}, geschätzte Güte {}; Taste {}</translation>
    </message>
</context>
<context>
    <name>Canvas</name>
    <message>
        <source>Canvas</source>
        <translation>Arbeitsfläche</translation>
    </message>
    <message>
        <source>Arrow keys move a cursor over the photo, Enter adds a positive point there, N a negative one; Tab goes through the prompts.</source>
        <translation>Pfeiltasten bewegen einen Zeiger über das Bild, die Eingabetaste setzt dort einen positiven Punkt, N einen negativen; Tab geht durch die Markierungen.</translation>
    </message>
</context>
<context>
    <name>CanvasControls</name>
    <message>
        <source>None</source>
        <translation>Keine</translation>
    </message>
    <message>
        <source>Square around the object</source>
        <translation>Quadrat um das Objekt</translation>
    </message>
    <message>
        <source>Aspect ratio</source>
        <translation>Seitenverhältnis</translation>
    </message>
    <message>
        <source>Size in pixels</source>
        <translation>Größe in Pixeln</translation>
    </message>
    <message>
        <source>Centred</source>
        <translation>In der Mitte</translation>
    </message>
    <message>
        <source>Standing at the bottom</source>
        <translation>Unten stehend</translation>
    </message>
    <message>
        <source>Canvas</source>
        <translation>Leinwand</translation>
    </message>
    <message>
        <source>Padding</source>
        <translation>Rand</translation>
    </message>
    <message>
        <source>Area of the file that the object is placed on</source>
        <translation>Fläche der Datei, auf die das Objekt gesetzt wird</translation>
    </message>
    <message>
        <source>Width of the canvas</source>
        <translation>Breite der Leinwand</translation>
    </message>
    <message>
        <source>Height of the canvas</source>
        <translation>Höhe der Leinwand</translation>
    </message>
    <message>
        <source>Least room between the object and each side of the canvas</source>
        <translation>Mindestabstand des Objekts von jeder Seite der Leinwand</translation>
    </message>
    <message>
        <source>Percent of the canvas&apos;s shorter side, or pixels of the file</source>
        <translation>Prozent der kürzeren Seite der Leinwand, oder Pixel der Datei</translation>
    </message>
    <message>
        <source>Where the object is on the canvas</source>
        <translation>Wo das Objekt auf der Leinwand ist</translation>
    </message>
    <message>
        <source>Enlarge small objects</source>
        <translation>Kleine Objekte vergrößern</translation>
    </message>
    <message>
        <source>Fill the canvas also where the object has fewer pixels than that</source>
        <translation>Die Leinwand auch dann füllen, wenn das Objekt weniger Pixel hat</translation>
    </message>
</context>
<context>
    <name>CaseViewer</name>
    <message>
        <source>Photo</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>The photo and the prompts</source>
        <translation>Das Bild und die Eingaben</translation>
    </message>
    <message>
        <source>Prediction</source>
        <translation>Vorhersage</translation>
    </message>
    <message>
        <source>The predicted matte</source>
        <translation>Die Maske, die geantwortet wurde</translation>
    </message>
    <message>
        <source>Ground truth</source>
        <translation>Wahrheit</translation>
    </message>
    <message>
        <source>The correct matte</source>
        <translation>Die richtige Maske</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>Unterschied</translation>
    </message>
    <message>
        <source>Red where the prediction is too opaque, blue where too transparent</source>
        <translation>Rot, wo zu viel ist, blau, wo zu wenig ist</translation>
    </message>
    <message>
        <source>{}; wheel zooms, dragging moves all four</source>
        <translation>{}; das Mausrad zoomt, Ziehen bewegt alle vier</translation>
    </message>
    <message>
        <source>Previous row</source>
        <translation>Vorherige Zeile</translation>
    </message>
    <message>
        <source>Next row</source>
        <translation>Nächste Zeile</translation>
    </message>
    <message>
        <source>Zoom out</source>
        <translation>Verkleinern</translation>
    </message>
    <message>
        <source>Zoom in</source>
        <translation>Vergrößern</translation>
    </message>
    <message>
        <source>Show the whole photo</source>
        <translation>Das ganze Bild zeigen</translation>
    </message>
    <message>
        <source>One screen pixel for each pixel of the photo</source>
        <translation>Ein Bildschirmpixel für jedes Pixel des Bildes</translation>
    </message>
    <message>
        <source>Open the photo with these prompts and this model</source>
        <translation>Das Bild mit diesen Eingaben und diesem Modell öffnen</translation>
    </message>
    <message>
        <source>Open in the studio</source>
        <translation>Im Studio öffnen</translation>
    </message>
    <message>
        <source>thumbnail of the prediction</source>
        <translation>kleines Bild der Vorhersage</translation>
    </message>
    <message>
        <source>Choose the folder of the data set to see its photos.</source>
        <translation>Wählen Sie den Ordner des Datensatzes, um seine Bilder zu sehen.</translation>
    </message>
</context>
<context>
    <name>CheatSheet</name>
    <message>
        <source>Keys and mouse</source>
        <translation>Tasten und Maus</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Suchen</translation>
    </message>
    <message>
        <source>Show only entries with these words</source>
        <translation>Nur zeigen, was diese Wörter enthält</translation>
    </message>
    <message>
        <source>On the canvas</source>
        <translation>Auf dem Bild</translation>
    </message>
</context>
<context>
    <name>ComparisonRow</name>
    <message>
        <source>Compare the chosen candidate with another one</source>
        <translation>Den gewählten Kandidaten mit einem anderen vergleichen</translation>
    </message>
    <message>
        <source>Colour of what only the chosen candidate has</source>
        <translation>Farbe dessen, was nur der gewählte Kandidat hat</translation>
    </message>
    <message>
        <source>Blends from the chosen candidate on the left to the other one</source>
        <translation>Überblendet vom gewählten Kandidaten links zum anderen</translation>
    </message>
    <message>
        <source>Blend of the two candidates</source>
        <translation>Überblendung der beiden Kandidaten</translation>
    </message>
    <message>
        <source>The other candidate, and its colour</source>
        <translation>Der andere Kandidat und seine Farbe</translation>
    </message>
    <message>
        <source>Other candidate</source>
        <translation>Anderer Kandidat</translation>
    </message>
</context>
<context>
    <name>CrashDialog</name>
    <message>
        <source>Something went wrong</source>
        <translation>Etwas ist schiefgegangen</translation>
    </message>
    <message>
        <source>This is a bug in zim-studio, not your mistake. You can go on; please send this report so that it can be fixed.</source>
        <translation>Das ist ein Fehler in zim-studio, nicht Ihrer. Sie können weiterarbeiten; bitte senden Sie diesen Bericht, damit er behoben werden kann.</translation>
    </message>
    <message>
        <source>A recovery copy of your work has been saved.</source>
        <translation>Eine Sicherungskopie Ihrer Arbeit ist gespeichert.</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>Bericht kopieren</translation>
    </message>
    <message>
        <source>Put the report on the clipboard</source>
        <translation>Den Bericht in die Zwischenablage legen</translation>
    </message>
    <message>
        <source>Open log folder</source>
        <translation>Protokollordner öffnen</translation>
    </message>
</context>
<context>
    <name>DetailBox</name>
    <message>
        <source>Detail</source>
        <translation>Detail</translation>
    </message>
    <message>
        <source>How the matte is enlarged to the photo&apos;s size</source>
        <translation>Wie die Maske auf die Größe des Bildes kommt</translation>
    </message>
    <message>
        <source>{} (not here)</source>
        <translation>{} (nicht hier)</translation>
    </message>
    <message>
        <source>{} needs about {} of memory for this photo.</source>
        <translation>{} braucht für dieses Bild etwa {} Speicher.</translation>
    </message>
    <message>
        <source>This computer has {}.</source>
        <translation>Dieser Computer hat {}.</translation>
    </message>
    <message>
        <source>No trimap network is installed.</source>
        <translation>Es ist kein Trimap-Netz installiert.</translation>
    </message>
    <message>
        <source>{} is not installed.</source>
        <translation>{} ist nicht installiert.</translation>
    </message>
    <message>
        <source>Get one under Models</source>
        <translation>Unter Modelle laden</translation>
    </message>
</context>
<context>
    <name>Dialogs</name>
    <message>
        <source>Photos ({})</source>
        <translation>Bilder ({})</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Open a photo or project</source>
        <translation>Ein Bild oder Projekt öffnen</translation>
    </message>
    <message>
        <source>Photos and projects ({})</source>
        <translation>Bilder und Projekte ({})</translation>
    </message>
    <message>
        <source>Projects ({})</source>
        <translation>Projekte ({})</translation>
    </message>
    <message>
        <source>Where is {}?</source>
        <translation>Wo ist {}?</translation>
    </message>
    <message>
        <source>Save project</source>
        <translation>Projekt speichern</translation>
    </message>
    <message>
        <source>Your work on this photo could not be saved. Save it elsewhere, as a project?</source>
        <translation>Die Arbeit an diesem Foto konnte nicht gespeichert werden. Als Projekt an einem anderen Ort speichern?</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <source>Unsaved changes</source>
        <translation>Ungespeicherte Änderungen</translation>
    </message>
    <message>
        <source>Save the changes to {}?</source>
        <translation>Die Änderungen an {} speichern?</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>Schließen (Esc)</translation>
    </message>
    <message>
        <source>About zim-studio</source>
        <translation>Über zim-studio</translation>
    </message>
    <message>
        <source>&lt;h3&gt;zim-studio&lt;/h3&gt;&lt;p&gt;Click an object in a photo, get a soft alpha matte.&lt;/p&gt;</source>
        <translation>&lt;h3&gt;zim-studio&lt;/h3&gt;&lt;p&gt;Ein Objekt im Foto anklicken, eine weiche Alpha-Maske bekommen.&lt;/p&gt;</translation>
    </message>
    <message>
        <source>Built on ZIM, “Zero-Shot Image Matting for Anything” (ICCV 2025), with PyTorch and Qt.</source>
        <translation>Beruht auf ZIM, „Zero-Shot Image Matting for Anything“ (ICCV 2025), mit PyTorch und Qt.</translation>
    </message>
</context>
<context>
    <name>DockPanels</name>
    <message>
        <source>Pan&amp;els</source>
        <translation>Bedien&amp;felder</translation>
    </message>
</context>
<context>
    <name>DragHandle</name>
    <message>
        <source>Drag the cut-out from here into a folder or another program</source>
        <translation>Den Freisteller von hier in einen Ordner oder ein anderes Programm ziehen</translation>
    </message>
</context>
<context>
    <name>DropHighlight</name>
    <message>
        <source>Import as a mask of this photo</source>
        <translation>Als Maske dieses Fotos einfügen</translation>
    </message>
    <message>
        <source>Open – with Shift: import as a mask</source>
        <translation>Öffnen – mit Umschalt: als Maske einfügen</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
</context>
<context>
    <name>EraseController</name>
    <message>
        <source>Save layers</source>
        <translation>Ebenen speichern</translation>
    </message>
    <message>
        <source>Save photo</source>
        <translation>Foto speichern</translation>
    </message>
    <message>
        <source>Saved {}</source>
        <translation>{} gespeichert</translation>
    </message>
</context>
<context>
    <name>EraseDialog</name>
    <message>
        <source>Remove object</source>
        <translation>Objekt entfernen</translation>
    </message>
    <message>
        <source>Preview of the photo without object</source>
        <translation>Vorschau des Fotos ohne Objekt</translation>
    </message>
    <message>
        <source> px</source>
        <translation> px</translation>
    </message>
    <message>
        <source>Pixels around the matte that are filled too, to leave no edge</source>
        <translation>Pixel um die Maske, die auch gefüllt werden, damit keine Kante bleibt</translation>
    </message>
    <message>
        <source>Patches of the photo</source>
        <translation>Stücken des Fotos</translation>
    </message>
    <message>
        <source>What fills the hole; networks come by Model › Manage models</source>
        <translation>Was das Loch füllt; Netze gibt es unter Modell › Modelle verwalten</translation>
    </message>
    <message>
        <source>Show the photo with the object</source>
        <translation>Das Foto mit dem Objekt zeigen</translation>
    </message>
    <message>
        <source>Compare the photo with the result</source>
        <translation>Das Foto mit dem Ergebnis vergleichen</translation>
    </message>
    <message>
        <source>Save photo…</source>
        <translation>Foto speichern …</translation>
    </message>
    <message>
        <source>Save the photo without the object</source>
        <translation>Das Foto ohne das Objekt speichern</translation>
    </message>
    <message>
        <source>Save layers…</source>
        <translation>Ebenen speichern …</translation>
    </message>
    <message>
        <source>Save the cut-out above the photo without it, as layers</source>
        <translation>Den Freisteller über dem Foto ohne ihn speichern, als Ebenen</translation>
    </message>
    <message>
        <source>Margin</source>
        <translation>Rand</translation>
    </message>
    <message>
        <source>Fill with</source>
        <translation>Füllen mit</translation>
    </message>
    <message>
        <source>Filling…</source>
        <translation>Füllt …</translation>
    </message>
    <message>
        <source>{} % of the photo were filled.</source>
        <translation>{} % des Fotos wurden gefüllt.</translation>
    </message>
</context>
<context>
    <name>Evaluation</name>
    <message>
        <source>Sum of absolute differences, in thousands.</source>
        <translation>Summe der absoluten Abweichungen, in Tausend.</translation>
    </message>
    <message>
        <source>Mean squared difference, times 1000.</source>
        <translation>Mittlere quadratische Abweichung, mal 1000.</translation>
    </message>
    <message>
        <source>Mean absolute difference, times 1000.</source>
        <translation>Mittlere absolute Abweichung, mal 1000.</translation>
    </message>
    <message>
        <source>Mean difference of Sobel gradients, times 1000.</source>
        <translation>Mittlere Abweichung der Sobel-Gradienten, mal 1000.</translation>
    </message>
    <message>
        <source>Connectivity error, in thousands.</source>
        <translation>Fehler des Zusammenhangs, in Tausend.</translation>
    </message>
    <message>
        <source>As SAD, in the region that counts.</source>
        <translation>Wie SAD, im Bereich, der zählt.</translation>
    </message>
    <message>
        <source>As MSE, in the region that counts.</source>
        <translation>Wie MSE, im Bereich, der zählt.</translation>
    </message>
    <message>
        <source>Squared difference of Gaussian gradients, summed, in thousands.</source>
        <translation>Quadratische Abweichung der Gauß-Gradienten, summiert, in Tausend.</translation>
    </message>
    <message>
        <source>As Conn, in the region that counts.</source>
        <translation>Wie Conn, im Bereich, der zählt.</translation>
    </message>
    <message>
        <source>As SAD, within 10 pixels of the outline.</source>
        <translation>Wie SAD, höchstens 10 Pixel vom Umriss entfernt.</translation>
    </message>
    <message>
        <source>As MSE, within 10 pixels of the outline.</source>
        <translation>Wie MSE, höchstens 10 Pixel vom Umriss entfernt.</translation>
    </message>
    <message>
        <source>Percent of the interior that is not opaque.</source>
        <translation>Prozent des Inneren, die nicht deckend sind.</translation>
    </message>
    <message>
        <source>Percent of the exterior that is not transparent.</source>
        <translation>Prozent des Äußeren, die nicht durchsichtig sind.</translation>
    </message>
    <message>
        <source>Intersection over union of alpha above one half.</source>
        <translation>Schnitt durch Vereinigung, wo Alpha über einhalb ist.</translation>
    </message>
    <message>
        <source>IoU of the masks&apos; inner boundaries, 2 % of the diagonal wide.</source>
        <translation>IoU der inneren Ränder der Masken, 2 % der Diagonale breit.</translation>
    </message>
    <message>
        <source>Clicks until IoU 0.85, the most where never.</source>
        <translation>Klicks bis IoU 0,85, die Höchstzahl, wo nie.</translation>
    </message>
    <message>
        <source>Clicks until IoU 0.90, the most where never.</source>
        <translation>Klicks bis IoU 0,90, die Höchstzahl, wo nie.</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>Published by others, not measured here: Table 1 of the ZIM paper (ICCV 2025)</source>
        <translation>Von anderen veröffentlicht, nicht hier gemessen: Tabelle 1 der ZIM-Veröffentlichung (ICCV 2025)</translation>
    </message>
    <message>
        <source>Standard deviation {} over {} objects</source>
        <translation>Standardabweichung {} über {} Objekte</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Eingabe</translation>
    </message>
    <message>
        <source>Subset</source>
        <translation>Teil</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Of the object: S under 1 %, M under 10 %, L from 10 % of the photo</source>
        <translation>Des Objekts: S unter 1 %, M unter 10 %, L ab 10 % des Bildes</translation>
    </message>
    <message>
        <source>Rows</source>
        <translation>Zeilen</translation>
    </message>
    <message>
        <source>How many were measured, and how many failed</source>
        <translation>Wie viele gemessen wurden und wie viele fehlschlugen</translation>
    </message>
    <message>
        <source>{} (published)</source>
        <translation>{} (veröffentlicht)</translation>
    </message>
    <message>
        <source>{} (+{} failed)</source>
        <translation>{} (+{} fehlgeschlagen)</translation>
    </message>
    <message>
        <source>{} clicks</source>
        <translation>{} Klicks</translation>
    </message>
    <message>
        <source>mode {}</source>
        <translation>Modus {}</translation>
    </message>
    <message>
        <source>point</source>
        <translation>Punkt</translation>
    </message>
    <message>
        <source>box</source>
        <translation>Rahmen</translation>
    </message>
    <message>
        <source>more is better</source>
        <translation>mehr ist besser</translation>
    </message>
    <message>
        <source>less is better</source>
        <translation>weniger ist besser</translation>
    </message>
    <message>
        <source>Case</source>
        <translation>Fall</translation>
    </message>
    <message>
        <source>Reason</source>
        <translation>Grund</translation>
    </message>
    <message>
        <source>Folder pair</source>
        <translation>Ordnerpaar</translation>
    </message>
    <message>
        <source>Mattes beside their images</source>
        <translation>Matten neben ihren Bildern</translation>
    </message>
</context>
<context>
    <name>EvaluationController</name>
    <message>
        <source>Open evaluated case</source>
        <translation>Ausgewerteten Fall öffnen</translation>
    </message>
</context>
<context>
    <name>EvaluationWindow</name>
    <message>
        <source>Evaluate models – zim-studio</source>
        <translation>Modelle auswerten – zim-studio</translation>
    </message>
    <message>
        <source>Nothing is there yet.</source>
        <translation>Dort ist noch nichts.</translation>
    </message>
    <message>
        <source>The results of {} are there; choose another folder.</source>
        <translation>Dort liegen die Ergebnisse von {}; wählen Sie einen anderen Ordner.</translation>
    </message>
    <message>
        <source>{} rows are there, {} failed, {} not done.</source>
        <translation>{} Zeilen sind da, {} fehlgeschlagen, {} noch nicht getan.</translation>
    </message>
    <message>
        <source>Loading the models…</source>
        <translation>Die Modelle werden geladen …</translation>
    </message>
    <message>
        <source>The evaluation is complete: {} rows, {} of them failed.</source>
        <translation>Die Auswertung ist vollständig: {} Zeilen, davon {} fehlgeschlagen.</translation>
    </message>
    <message>
        <source>Show the report</source>
        <translation>Bericht zeigen</translation>
    </message>
    <message>
        <source>The photo of {} is not available.</source>
        <translation>Das Bild von {} ist nicht da.</translation>
    </message>
    <message>
        <source>Choose the folder of the data set to see its photos.</source>
        <translation>Wählen Sie den Ordner des Datensatzes, um seine Bilder zu sehen.</translation>
    </message>
    <message>
        <source>Saved {}</source>
        <translation>{} gespeichert</translation>
    </message>
</context>
<context>
    <name>EverythingBar</name>
    <message>
        <source>Cancel search</source>
        <translation>Suche abbrechen</translation>
    </message>
    <message>
        <source>Stop here and keep what was found</source>
        <translation>Hier anhalten und behalten, was gefunden ist</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <source>Search the rest of the photo</source>
        <translation>Den Rest des Bildes durchsuchen</translation>
    </message>
    <message>
        <source>Merge picked</source>
        <translation>Gewählte verschmelzen</translation>
    </message>
    <message>
        <source>Make one object of all that is picked (M)</source>
        <translation>Aus allem Gewählten ein Objekt machen (M)</translation>
    </message>
    <message>
        <source>Add picked as objects</source>
        <translation>Gewählte als Objekte hinzufügen</translation>
    </message>
    <message>
        <source>Make an object of each that is picked (Enter, double click)</source>
        <translation>Aus jedem Gewählten ein Objekt machen (Eingabe, Doppelklick)</translation>
    </message>
    <message>
        <source>Add all</source>
        <translation>Alle hinzufügen</translation>
    </message>
    <message>
        <source>Make an object of each that was found (A)</source>
        <translation>Aus jedem Gefundenen ein Objekt machen (A)</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Go back without adding anything (Esc)</source>
        <translation>Zurück, ohne etwas hinzuzufügen (Esc)</translation>
    </message>
    <message>
        <source>{} found, {} picked</source>
        <translation>{} gefunden, {} gewählt</translation>
    </message>
    <message>
        <source>Searching… {} found</source>
        <translation>Sucht … {} gefunden</translation>
    </message>
    <message>
        <source>Search stopped, {} found</source>
        <translation>Suche angehalten, {} gefunden</translation>
    </message>
    <message>
        <source>{} found: click to pick, Shift+click to merge</source>
        <translation>{} gefunden: klicken zum Wählen, Umschalt+Klick zum Verschmelzen</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Nichts gefunden</translation>
    </message>
</context>
<context>
    <name>EverythingController</name>
    <message>
        <source>These regions are different candidates of the model.</source>
        <translation>Diese Bereiche sind verschiedene Kandidaten des Modells.</translation>
    </message>
    <message>
        <source>One object has only one of them; add them separately.</source>
        <translation>Ein Objekt hat nur einen davon; fügen Sie sie einzeln hinzu.</translation>
    </message>
    <message>
        <source>All that was picked is among the objects already.</source>
        <translation>Alles Gewählte ist schon unter den Objekten.</translation>
    </message>
    <message>
        <source>Pick something else.</source>
        <translation>Wählen Sie etwas anderes.</translation>
    </message>
    <message>
        <source>Add found objects</source>
        <translation>Gefundene Objekte hinzufügen</translation>
    </message>
</context>
<context>
    <name>ExportButton</name>
    <message>
        <source>Export</source>
        <translation>Exportieren</translation>
    </message>
    <message>
        <source>Write the report as a table or a page</source>
        <translation>Den Bericht als Tabelle oder Seite schreiben</translation>
    </message>
    <message>
        <source>Page with photos (HTML)…</source>
        <translation>Seite mit Bildern (HTML) …</translation>
    </message>
    <message>
        <source>Tables (Markdown)…</source>
        <translation>Tabellen (Markdown) …</translation>
    </message>
    <message>
        <source>Tables (LaTeX)…</source>
        <translation>Tabellen (LaTeX) …</translation>
    </message>
    <message>
        <source>Means (CSV)…</source>
        <translation>Mittelwerte (CSV) …</translation>
    </message>
    <message>
        <source>All rows (CSV)…</source>
        <translation>Alle Zeilen (CSV) …</translation>
    </message>
    <message>
        <source>Differences of the models (CSV)…</source>
        <translation>Unterschiede der Modelle (CSV)…</translation>
    </message>
    <message>
        <source>Everything (JSON)…</source>
        <translation>Alles (JSON) …</translation>
    </message>
    <message>
        <source>Bars of the mean IoU (SVG)…</source>
        <translation>Balken der mittleren IoU (SVG)…</translation>
    </message>
    <message>
        <source>All of these into the results</source>
        <translation>Alle diese zu den Ergebnissen</translation>
    </message>
    <message>
        <source>Show the folder of results</source>
        <translation>Ordner der Ergebnisse zeigen</translation>
    </message>
    <message>
        <source>Export the report</source>
        <translation>Bericht exportieren</translation>
    </message>
</context>
<context>
    <name>ExportController</name>
    <message>
        <source>Progress of the export</source>
        <translation>Fortschritt des Exports</translation>
    </message>
    <message>
        <source>Cancel the export</source>
        <translation>Den Export abbrechen</translation>
    </message>
    <message>
        <source>Make the folder</source>
        <translation>Ordner anlegen</translation>
    </message>
    <message>
        <source>The export was cancelled.</source>
        <translation>Der Export wurde abgebrochen.</translation>
    </message>
    <message>
        <source>Saved {}</source>
        <translation>{} gespeichert</translation>
    </message>
    <message>
        <source>Saved {} files in {}</source>
        <translation>{} Dateien in {} gespeichert</translation>
    </message>
    <message>
        <source>The cut-out is in the clipboard.</source>
        <translation>Der Freisteller ist in der Zwischenablage.</translation>
    </message>
    <message>
        <source>The matte is in the clipboard.</source>
        <translation>Die Maske ist in der Zwischenablage.</translation>
    </message>
</context>
<context>
    <name>ExportDialog</name>
    <message>
        <source>Export</source>
        <translation>Exportieren</translation>
    </message>
    <message>
        <source>Folder to write to</source>
        <translation>Ordner, in den geschrieben wird</translation>
    </message>
    <message>
        <source>Replace the existing file</source>
        <translation>Vorhandene Datei ersetzen</translation>
    </message>
    <message>
        <source>Otherwise the new one gets a number</source>
        <translation>Sonst bekommt die neue eine Nummer</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>Choose an image for the background.</source>
        <translation>Wählen Sie ein Bild für den Hintergrund.</translation>
    </message>
    <message>
        <source>Choose a folder.</source>
        <translation>Wählen Sie einen Ordner.</translation>
    </message>
    <message>
        <source>{} – {} × {} pixels</source>
        <translation>{} – {} × {} Pixel</translation>
    </message>
    <message>
        <source>, the object at {} % of the photo&apos;s size</source>
        <translation>, das Objekt mit {} % der Größe im Bild</translation>
    </message>
    <message>
        <source>, {} % of the photo&apos;s</source>
        <translation>, {} % des Fotos</translation>
    </message>
    <message>
        <source>… and {} more files</source>
        <translation>… und {} weitere Dateien</translation>
    </message>
    <message>
        <source>The folder does not exist; it is made.</source>
        <translation>Der Ordner fehlt; er wird angelegt.</translation>
    </message>
    <message>
        <source>{} will be replaced.</source>
        <translation>{} wird ersetzt.</translation>
    </message>
    <message>
        <source>{} exists already; the new file gets a number.</source>
        <translation>{} gibt es schon; die neue Datei bekommt eine Nummer.</translation>
    </message>
    <message>
        <source>Choose a folder</source>
        <translation>Einen Ordner wählen</translation>
    </message>
</context>
<context>
    <name>ExportForm</name>
    <message>
        <source>Cut-out, transparent</source>
        <translation>Freisteller, durchsichtig</translation>
    </message>
    <message>
        <source>Matte, in greys</source>
        <translation>Maske, in Grau</translation>
    </message>
    <message>
        <source>On a colour</source>
        <translation>Auf einer Farbe</translation>
    </message>
    <message>
        <source>On another image</source>
        <translation>Auf einem anderen Bild</translation>
    </message>
    <message>
        <source>Active object</source>
        <translation>Aktives Objekt</translation>
    </message>
    <message>
        <source>Each object in its own file</source>
        <translation>Jedes Objekt in einer eigenen Datei</translation>
    </message>
    <message>
        <source>Visible objects merged</source>
        <translation>Sichtbare Objekte zusammengefasst</translation>
    </message>
    <message>
        <source>As in the photo</source>
        <translation>Wie im Bild</translation>
    </message>
    <message>
        <source>8 bits a channel</source>
        <translation>8 Bit je Kanal</translation>
    </message>
    <message>
        <source>16 bits a channel</source>
        <translation>16 Bit je Kanal</translation>
    </message>
    <message>
        <source>32 bits, linear (TIFF, OpenEXR)</source>
        <translation>32 Bit, linear (TIFF, OpenEXR)</translation>
    </message>
    <message>
        <source>The edge&apos;s colours, then black</source>
        <translation>Die Farben des Rands, dann Schwarz</translation>
    </message>
    <message>
        <source>Black</source>
        <translation>Schwarz</translation>
    </message>
    <message>
        <source>The photo&apos;s (can be recovered)</source>
        <translation>Die des Fotos (wiederherstellbar)</translation>
    </message>
    <message>
        <source>Scale</source>
        <translation>Maßstab</translation>
    </message>
    <message>
        <source>Longest side</source>
        <translation>Längste Seite</translation>
    </message>
    <message>
        <source>What the file shows</source>
        <translation>Was die Datei zeigt</translation>
    </message>
    <message>
        <source>Which objects</source>
        <translation>Welche Objekte</translation>
    </message>
    <message>
        <source>Format of the file</source>
        <translation>Format der Datei</translation>
    </message>
    <message>
        <source>Steps of colour and alpha</source>
        <translation>Abstufungen von Farbe und Alpha</translation>
    </message>
    <message>
        <source>How the size is given</source>
        <translation>Wie die Größe angegeben ist</translation>
    </message>
    <message>
        <source>Colours that the file has where it is transparent</source>
        <translation>Welche Farben die Datei hat, wo sie durchsichtig ist</translation>
    </message>
    <message>
        <source>Higher is better and larger</source>
        <translation>Höher ist besser und größer</translation>
    </message>
    <message>
        <source>Colour of the background</source>
        <translation>Farbe des Hintergrunds</translation>
    </message>
    <message>
        <source>Image that fills the background</source>
        <translation>Bild, das den Hintergrund füllt</translation>
    </message>
    <message>
        <source>Trim to the object</source>
        <translation>Auf das Objekt beschneiden</translation>
    </message>
    <message>
        <source>Leave out the empty area around it</source>
        <translation>Weglassen, was darum herum leer ist</translation>
    </message>
    <message>
        <source> px around</source>
        <translation> px Rand</translation>
    </message>
    <message>
        <source>Room around the trimmed object</source>
        <translation>Platz um das beschnittene Objekt</translation>
    </message>
    <message>
        <source>Keep the shadow on the ground</source>
        <translation>Den Schatten am Boden behalten</translation>
    </message>
    <message>
        <source>The shadow that the object casts in the photo, if the ground is even</source>
        <translation>Den Schatten, den das Objekt im Bild wirft, wenn der Grund gleichmäßig ist</translation>
    </message>
    <message>
        <source>As set for each object</source>
        <translation>Wie für jedes Objekt eingestellt</translation>
    </message>
    <message>
        <source>Use the amount of the object&apos;s own settings</source>
        <translation>Den Wert aus den Einstellungen des Objekts verwenden</translation>
    </message>
    <message>
        <source>How far soft edges are freed from the old background&apos;s colour</source>
        <translation>Wie weit weiche Ränder von der Farbe des alten Hintergrunds befreit werden</translation>
    </message>
    <message>
        <source>Original as a hidden layer</source>
        <translation>Original als verborgene Ebene</translation>
    </message>
    <message>
        <source>Add the whole photo below the objects</source>
        <translation>Das ganze Bild unter den Objekten hinzufügen</translation>
    </message>
    <message>
        <source>Name of the file; these are filled in: {name} {object} {what} {n} {width} {height} {date}</source>
        <translation>Name der Datei; eingesetzt werden: {name} {object} {what} {n} {width} {height} {date}</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>Voreinstellung</translation>
    </message>
    <message>
        <source>What</source>
        <translation>Was</translation>
    </message>
    <message>
        <source>Background</source>
        <translation>Hintergrund</translation>
    </message>
    <message>
        <source>Objects</source>
        <translation>Objekte</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>Format</translation>
    </message>
    <message>
        <source>Quality</source>
        <translation>Qualität</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Shadow</source>
        <translation>Schatten</translation>
    </message>
    <message>
        <source>Decontaminate</source>
        <translation>Farbränder entfernen</translation>
    </message>
    <message>
        <source>Hidden pixels</source>
        <translation>Verdeckte Pixel</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>All objects as layers</source>
        <translation>Alle Objekte als Ebenen</translation>
    </message>
    <message>
        <source> %</source>
        <translation> %</translation>
    </message>
    <message>
        <source> px</source>
        <translation> px</translation>
    </message>
    <message>
        <source>Percent of the photo&apos;s size</source>
        <translation>Prozent der Bildgröße</translation>
    </message>
    <message>
        <source>Pixels of the longer side</source>
        <translation>Pixel der längeren Seite</translation>
    </message>
    <message>
        <source>Choose a background</source>
        <translation>Einen Hintergrund wählen</translation>
    </message>
    <message>
        <source>Choose another</source>
        <translation>Einen anderen wählen</translation>
    </message>
</context>
<context>
    <name>FileController</name>
    <message>
        <source>Open a folder of photos</source>
        <translation>Einen Ordner mit Bildern öffnen</translation>
    </message>
    <message>
        <source>Restore objects</source>
        <translation>Objekte wiederherstellen</translation>
    </message>
    <message>
        <source>There is no photo in the clipboard.</source>
        <translation>In der Zwischenablage ist kein Bild.</translation>
    </message>
    <message>
        <source>Copy a photo or a file in another program first.</source>
        <translation>Kopieren Sie zuerst ein Bild oder eine Datei in einem anderen Programm.</translation>
    </message>
    <message>
        <source>Pasted image</source>
        <translation>Eingefügtes Bild</translation>
    </message>
    <message>
        <source>Saved {}</source>
        <translation>{} gespeichert</translation>
    </message>
</context>
<context>
    <name>FilterBar</name>
    <message>
        <source>Show only this model</source>
        <translation>Nur dieses Modell zeigen</translation>
    </message>
    <message>
        <source>Show only this kind of prompt</source>
        <translation>Nur diese Art von Eingabe zeigen</translation>
    </message>
    <message>
        <source>Show only this part of the data set</source>
        <translation>Nur diesen Teil des Datensatzes zeigen</translation>
    </message>
    <message>
        <source>Show only objects of this size</source>
        <translation>Nur Objekte dieser Größe zeigen</translation>
    </message>
    <message>
        <source>Show only measured or only failed rows</source>
        <translation>Nur Gemessenes oder nur Fehlgeschlagenes zeigen</translation>
    </message>
    <message>
        <source>Find a case</source>
        <translation>Fall suchen</translation>
    </message>
    <message>
        <source>Show only cases with this in their names</source>
        <translation>Nur Fälle zeigen, deren Name dies enthält</translation>
    </message>
    <message>
        <source>All sizes</source>
        <translation>Alle Größen</translation>
    </message>
    <message>
        <source>Measured</source>
        <translation>Gemessen</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Fehlgeschlagen</translation>
    </message>
    <message>
        <source>All rows</source>
        <translation>Alle Zeilen</translation>
    </message>
    <message>
        <source>All models</source>
        <translation>Alle Modelle</translation>
    </message>
    <message>
        <source>All prompts</source>
        <translation>Alle Eingaben</translation>
    </message>
    <message>
        <source>All subsets</source>
        <translation>Alle Teile</translation>
    </message>
</context>
<context>
    <name>FolderEditor</name>
    <message>
        <source>Choose a folder</source>
        <translation>Einen Ordner wählen</translation>
    </message>
</context>
<context>
    <name>FolderStrip</name>
    <message>
        <source>Photos</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>Photos in this folder</source>
        <translation>Bilder in diesem Ordner</translation>
    </message>
</context>
<context>
    <name>Gesture</name>
    <message>
        <source>Add point</source>
        <translation>Punkt setzen</translation>
    </message>
    <message>
        <source>Add negative point</source>
        <translation>Negativen Punkt setzen</translation>
    </message>
    <message>
        <source>Move point</source>
        <translation>Punkt verschieben</translation>
    </message>
    <message>
        <source>Draw box</source>
        <translation>Rahmen ziehen</translation>
    </message>
    <message>
        <source>Change box</source>
        <translation>Rahmen ändern</translation>
    </message>
    <message>
        <source>Delete point</source>
        <translation>Punkt löschen</translation>
    </message>
    <message>
        <source>Delete box</source>
        <translation>Rahmen löschen</translation>
    </message>
    <message>
        <source>Scribble</source>
        <translation>Strich</translation>
    </message>
    <message>
        <source>Negative scribble</source>
        <translation>Negativer Strich</translation>
    </message>
    <message>
        <source>Move scribble</source>
        <translation>Strich verschieben</translation>
    </message>
    <message>
        <source>Delete scribble</source>
        <translation>Strich löschen</translation>
    </message>
    <message>
        <source>Lasso</source>
        <translation>Lasso</translation>
    </message>
    <message>
        <source>Negative lasso</source>
        <translation>Negatives Lasso</translation>
    </message>
    <message>
        <source>Move lasso</source>
        <translation>Lasso verschieben</translation>
    </message>
    <message>
        <source>Delete lasso</source>
        <translation>Lasso löschen</translation>
    </message>
    <message>
        <source>Brush: add</source>
        <translation>Pinsel: hinzufügen</translation>
    </message>
    <message>
        <source>Brush: erase</source>
        <translation>Pinsel: wegnehmen</translation>
    </message>
    <message>
        <source>Brush: soften</source>
        <translation>Pinsel: weichzeichnen</translation>
    </message>
    <message>
        <source>Brush: refine edge</source>
        <translation>Pinsel: Kante verfeinern</translation>
    </message>
    <message>
        <source>Remove colour</source>
        <translation>Farbe entfernen</translation>
    </message>
    <message>
        <source>Restore colour</source>
        <translation>Farbe wiederherstellen</translation>
    </message>
    <message>
        <source>Clear prompts</source>
        <translation>Alle Markierungen löschen</translation>
    </message>
</context>
<context>
    <name>Gestures</name>
    <message>
        <source>Left click</source>
        <translation>Linksklick</translation>
    </message>
    <message>
        <source>This belongs to the object</source>
        <translation>Das gehört zum Objekt</translation>
    </message>
    <message>
        <source>Right click, Alt + left click</source>
        <translation>Rechtsklick, Alt + Linksklick</translation>
    </message>
    <message>
        <source>This does not belong to it</source>
        <translation>Das gehört nicht dazu</translation>
    </message>
    <message>
        <source>Left drag</source>
        <translation>Links ziehen</translation>
    </message>
    <message>
        <source>Draw a box around the object</source>
        <translation>Einen Rahmen um das Objekt ziehen</translation>
    </message>
    <message>
        <source>Drag a point or a side or corner of the box</source>
        <translation>Einen Punkt oder eine Seite oder Ecke des Rahmens ziehen</translation>
    </message>
    <message>
        <source>Ctrl + left click</source>
        <translation>Strg + Linksklick</translation>
    </message>
    <message>
        <source>Select the object under the pointer</source>
        <translation>Zum Objekt unter dem Zeiger wechseln</translation>
    </message>
    <message>
        <source>Left drag with the scribble</source>
        <translation>Links ziehen mit dem Strich</translation>
    </message>
    <message>
        <source>All along the line belongs to the object</source>
        <translation>Alles entlang der Linie gehört zum Objekt</translation>
    </message>
    <message>
        <source>Right drag, Alt + drag with the scribble</source>
        <translation>Rechts ziehen, Alt + ziehen mit dem Strich</translation>
    </message>
    <message>
        <source>Nothing along the line belongs to it</source>
        <translation>Nichts entlang der Linie gehört dazu</translation>
    </message>
    <message>
        <source>Left drag with the lasso</source>
        <translation>Links ziehen mit dem Lasso</translation>
    </message>
    <message>
        <source>The object is inside the loop</source>
        <translation>Das Objekt liegt in der Schleife</translation>
    </message>
    <message>
        <source>Right drag, Alt + drag with the lasso</source>
        <translation>Rechts ziehen, Alt + ziehen mit dem Lasso</translation>
    </message>
    <message>
        <source>Nothing inside the loop belongs to it</source>
        <translation>Nichts in der Schleife gehört dazu</translation>
    </message>
    <message>
        <source>Right drag, Alt + drag with the brush</source>
        <translation>Rechts ziehen, Alt + ziehen mit dem Pinsel</translation>
    </message>
    <message>
        <source>Erase while adding, add while erasing</source>
        <translation>Wegnehmen statt hinzufügen und umgekehrt</translation>
    </message>
    <message>
        <source>Shift + click with the brush</source>
        <translation>Umschalt + Klick mit dem Pinsel</translation>
    </message>
    <message>
        <source>Straight line from the last stroke&apos;s end</source>
        <translation>Gerade Linie vom Ende des letzten Strichs</translation>
    </message>
    <message>
        <source>Ctrl + wheel with the brush</source>
        <translation>Strg + Mausrad mit dem Pinsel</translation>
    </message>
    <message>
        <source>Change the size of the brush</source>
        <translation>Die Größe des Pinsels ändern</translation>
    </message>
    <message>
        <source>Arrow keys, with Shift farther</source>
        <translation>Pfeiltasten, mit Umschalt weiter</translation>
    </message>
    <message>
        <source>Move the keyboard&apos;s cursor or selected prompt</source>
        <translation>Den Tastaturzeiger oder die gewählte Markierung bewegen</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>Eingabe</translation>
    </message>
    <message>
        <source>Click at the keyboard&apos;s cursor</source>
        <translation>Am Tastaturzeiger klicken</translation>
    </message>
    <message>
        <source>N, Ctrl + Enter</source>
        <translation>N, Strg + Eingabe</translation>
    </message>
    <message>
        <source>Right-click at the keyboard&apos;s cursor</source>
        <translation>Am Tastaturzeiger rechts klicken</translation>
    </message>
    <message>
        <source>Shift + Enter, twice</source>
        <translation>Umschalt + Eingabe, zweimal</translation>
    </message>
    <message>
        <source>Box between two places of the cursor</source>
        <translation>Rahmen zwischen zwei Stellen des Zeigers</translation>
    </message>
    <message>
        <source>Tab, Shift + Tab</source>
        <translation>Tab, Umschalt + Tab</translation>
    </message>
    <message>
        <source>Select the next prompt, the one before</source>
        <translation>Die nächste Markierung wählen, die vorige</translation>
    </message>
    <message>
        <source>Arrow keys, P among found objects</source>
        <translation>Pfeiltasten, P bei gefundenen Objekten</translation>
    </message>
    <message>
        <source>Highlight the next one; pick it, with Shift merge it</source>
        <translation>Das nächste hervorheben; es wählen, mit Umschalt zusammenfassen</translation>
    </message>
    <message>
        <source>Shift + drop a file</source>
        <translation>Umschalt + Datei ablegen</translation>
    </message>
    <message>
        <source>Import it as a mask of the photo</source>
        <translation>Sie als Maske des Bildes importieren</translation>
    </message>
    <message>
        <source>Wheel, pinch</source>
        <translation>Mausrad, zwei Finger</translation>
    </message>
    <message>
        <source>Two fingers on a touch screen</source>
        <translation>Zwei Finger auf einem Touchscreen</translation>
    </message>
    <message>
        <source>Zoom and pan; one finger clicks and drags</source>
        <translation>Zoomen und verschieben; ein Finger klickt und zieht</translation>
    </message>
    <message>
        <source>Hold \ or #</source>
        <translation>\ oder # halten</translation>
    </message>
    <message>
        <source>Show the photo</source>
        <translation>Das Foto zeigen</translation>
    </message>
    <message>
        <source>Alt + wheel</source>
        <translation>Alt + Mausrad</translation>
    </message>
    <message>
        <source>Magnify in the loupe; among found objects, the next larger or smaller one</source>
        <translation>In der Lupe vergrößern; unter gefundenen Objekten das nächste größere oder kleinere</translation>
    </message>
    <message>
        <source>Zoom at the pointer</source>
        <translation>Am Zeiger zoomen</translation>
    </message>
    <message>
        <source>Move the point, resize the box</source>
        <translation>Den Punkt verschieben, den Rahmen ändern</translation>
    </message>
    <message>
        <source>Shift + drag a side of the box</source>
        <translation>Umschalt + eine Seite des Rahmens ziehen</translation>
    </message>
    <message>
        <source>Move the box</source>
        <translation>Den Rahmen verschieben</translation>
    </message>
    <message>
        <source>Middle drag, Space + drag</source>
        <translation>Mitte ziehen, Leertaste + ziehen</translation>
    </message>
    <message>
        <source>Pan</source>
        <translation>Ausschnitt verschieben</translation>
    </message>
</context>
<context>
    <name>GreyBar</name>
    <message>
        <source>Grey values</source>
        <translation>Grauwerte</translation>
    </message>
    <message>
        <source>Window</source>
        <translation>Fenster</translation>
    </message>
    <message>
        <source>Which grey values are black and white</source>
        <translation>Welche Grauwerte schwarz und weiß sind</translation>
    </message>
    <message>
        <source>Level</source>
        <translation>Mitte</translation>
    </message>
    <message>
        <source>The value that becomes middle grey</source>
        <translation>Der Wert, der mittelgrau wird</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>Breite</translation>
    </message>
    <message>
        <source>How many values lie between black and white</source>
        <translation>Wie viele Werte zwischen Schwarz und Weiß liegen</translation>
    </message>
    <message>
        <source>The slice of the volume; each has objects of its own</source>
        <translation>Die Schicht des Volumens; jede hat ihre eigenen Objekte</translation>
    </message>
    <message>
        <source>Slice</source>
        <translation>Schicht</translation>
    </message>
    <message>
        <source>Soft tissue (CT)</source>
        <translation>Weichteile (CT)</translation>
    </message>
    <message>
        <source>Lung (CT)</source>
        <translation>Lunge (CT)</translation>
    </message>
    <message>
        <source>Bone (CT)</source>
        <translation>Knochen (CT)</translation>
    </message>
    <message>
        <source>Brain (CT)</source>
        <translation>Gehirn (CT)</translation>
    </message>
    <message>
        <source>All values</source>
        <translation>Alle Werte</translation>
    </message>
    <message>
        <source>Default</source>
        <translation>Standard</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>Automatisch</translation>
    </message>
    <message>
        <source>Custom</source>
        <translation>Eigenes</translation>
    </message>
</context>
<context>
    <name>HaloHint</name>
    <message>
        <source>Fix</source>
        <translation>Beheben</translation>
    </message>
    <message>
        <source>Free the soft edge from the old background</source>
        <translation>Den weichen Rand vom alten Hintergrund befreien</translation>
    </message>
    <message>
        <source>Fraction of the old background in the colours of the soft edge; on another background it shows as a halo</source>
        <translation>Anteil des alten Hintergrunds an den Farben des weichen Rands; auf einem anderen Hintergrund wird er als Saum sichtbar</translation>
    </message>
    <message>
        <source>Measuring the halo…</source>
        <translation>Farbsaum wird gemessen …</translation>
    </message>
    <message>
        <source>No soft edge that could have a halo.</source>
        <translation>Kein weicher Rand, der einen Saum haben könnte.</translation>
    </message>
    <message>
        <source>The soft edge holds {} % old background.</source>
        <translation>Der weiche Rand enthält {} % alten Hintergrund.</translation>
    </message>
</context>
<context>
    <name>KeyOptions</name>
    <message>
        <source>Tolerance</source>
        <translation>Toleranz</translation>
    </message>
    <message>
        <source>How far colours may differ from the removed one</source>
        <translation>Wie weit Farben von der entfernten abweichen dürfen</translation>
    </message>
    <message>
        <source>Softness</source>
        <translation>Weichheit</translation>
    </message>
    <message>
        <source>Over which further difference colours become opaque</source>
        <translation>Über welchen weiteren Abstand Farben deckend werden</translation>
    </message>
    <message>
        <source>Change removed colour</source>
        <translation>Entfernte Farbe ändern</translation>
    </message>
</context>
<context>
    <name>Language</name>
    <message>
        <source>{} s left</source>
        <translation>noch {} s</translation>
    </message>
    <message>
        <source>{} min left</source>
        <translation>noch {} min</translation>
    </message>
    <message>
        <source>{} h {} min left</source>
        <translation>noch {} h {} min</translation>
    </message>
</context>
<context>
    <name>LearningCurve</name>
    <message>
        <source>IoU on held-out photos</source>
        <translation>IoU bei zurückgehaltenen Bildern</translation>
    </message>
    <message>
        <source>IoU {} at first, now {}, at best {}</source>
        <translation>IoU anfangs {}, jetzt {}, am besten {}</translation>
    </message>
</context>
<context>
    <name>Loupe</name>
    <message>
        <source>RGB {} {} {}</source>
        <translation>RGB {} {} {}</translation>
    </message>
    <message>
        <source>alpha {}</source>
        <translation>Alpha {}</translation>
    </message>
    <message>
        <source>{} ×</source>
        <translation>{} ×</translation>
    </message>
    <message>
        <source>alpha 0: {} %</source>
        <translation>Alpha 0: {} %</translation>
    </message>
    <message>
        <source>alpha 1: {} %</source>
        <translation>Alpha 1: {} %</translation>
    </message>
    <message>
        <source>exterior above {}/255: {} %</source>
        <translation>außen über {}/255: {} %</translation>
    </message>
    <message>
        <source>interior below {}/255: {} %</source>
        <translation>innen unter {}/255: {} %</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Open &amp;recent</source>
        <translation>&amp;Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>&amp;Background</source>
        <translation>&amp;Hintergrund</translation>
    </message>
    <message>
        <source>Commands</source>
        <translation>Befehle</translation>
    </message>
    <message>
        <source>Open sa&amp;mple</source>
        <translation>Beispie&amp;l öffnen</translation>
    </message>
    <message>
        <source>Nothing yet</source>
        <translation>Noch nichts</translation>
    </message>
    <message>
        <source>Change model</source>
        <translation>Modell wechseln</translation>
    </message>
    <message>
        <source>&amp;Undo: {}</source>
        <translation>&amp;Rückgängig: {}</translation>
    </message>
    <message>
        <source>&amp;Redo: {}</source>
        <translation>&amp;Wiederherstellen: {}</translation>
    </message>
    <message>
        <source>zim-studio</source>
        <translation>zim-studio</translation>
    </message>
    <message>
        <source>{}[*] – zim-studio</source>
        <translation>{}[*] – zim-studio</translation>
    </message>
    <message>
        <source>Matting was stopped.</source>
        <translation>Das Freistellen wurde angehalten.</translation>
    </message>
    <message>
        <source>The matte on screen may be older than the prompts.</source>
        <translation>Was zu sehen ist, kann älter sein als die Markierungen.</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Weiter</translation>
    </message>
</context>
<context>
    <name>MaskController</name>
    <message>
        <source>Import mask</source>
        <translation>Maske importieren</translation>
    </message>
    <message>
        <source>Import {} masks</source>
        <translation>{} Masken importieren</translation>
    </message>
    <message>
        <source>The object was changed meanwhile, so it was not refined.</source>
        <translation>Das Objekt wurde inzwischen geändert und darum nicht verfeinert.</translation>
    </message>
    <message>
        <source>Refine with the converter</source>
        <translation>Mit dem Konverter verfeinern</translation>
    </message>
    <message>
        <source>Replace the object&apos;s points, lines and box by its outline?</source>
        <translation>Die Punkte, Linien und den Rahmen des Objekts durch seinen Umriss ersetzen?</translation>
    </message>
    <message>
        <source>Undo brings them back.</source>
        <translation>„Rückgängig“ holt sie zurück.</translation>
    </message>
    <message>
        <source>Saved the training pair {}</source>
        <translation>Trainingspaar {} gespeichert</translation>
    </message>
    <message>
        <source>Saved {} training pairs in {}</source>
        <translation>{} Trainingspaare in {} gespeichert</translation>
    </message>
</context>
<context>
    <name>MaskDialog</name>
    <message>
        <source>Import a mask</source>
        <translation>Eine Maske importieren</translation>
    </message>
    <message>
        <source>Masks ({})</source>
        <translation>Masken ({})</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Import mask</source>
        <translation>Maske importieren</translation>
    </message>
    <message>
        <source>{} masks</source>
        <translation>{} Masken</translation>
    </message>
    <message>
        <source>&amp;Refine with the converter</source>
        <translation>Mit dem Konverter ve&amp;rfeinern</translation>
    </message>
    <message>
        <source>Make a soft matte that follows the photo&apos;s edges (Alt+R)</source>
        <translation>Eine weiche Matte machen, die den Kanten des Bildes folgt (Alt+R)</translation>
    </message>
    <message>
        <source>&amp;Use as it is</source>
        <translation>&amp;Unverändert verwenden</translation>
    </message>
    <message>
        <source>Take the mask&apos;s own greys, or its transparency, as alpha (Alt+U)</source>
        <translation>Die Grautöne oder die Transparenz der Maske als Alpha nehmen (Alt+U)</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>Importieren</translation>
    </message>
    <message>
        <source>{} (Enter)</source>
        <translation>{} (Eingabe)</translation>
    </message>
    <message>
        <source>Change nothing (Esc)</source>
        <translation>Nichts ändern (Esc)</translation>
    </message>
</context>
<context>
    <name>MissingImageNotice</name>
    <message>
        <source>The photo {} of {} is missing.</source>
        <translation>Das Bild {} von {} fehlt.</translation>
    </message>
    <message>
        <source>{} is not the photo of {}: that one has {} x {} pixels.</source>
        <translation>{} ist nicht das Bild von {}: Jenes hat {} x {} Pixel.</translation>
    </message>
    <message>
        <source>Show where it is.</source>
        <translation>Zeigen Sie, wo es ist.</translation>
    </message>
    <message>
        <source>Locate…</source>
        <translation>Suchen …</translation>
    </message>
</context>
<context>
    <name>ModelController</name>
    <message>
        <source>&amp;Use</source>
        <translation>Ver&amp;wenden</translation>
    </message>
    <message>
        <source>&amp;Select subject with</source>
        <translation>&amp;Hauptmotiv auswählen mit</translation>
    </message>
    <message>
        <source>&amp;Device</source>
        <translation>&amp;Gerät</translation>
    </message>
    <message>
        <source>&amp;Precision</source>
        <translation>G&amp;enauigkeit</translation>
    </message>
    <message>
        <source>The model {} is not installed; {} is used instead.</source>
        <translation>Das Modell {} ist nicht installiert; stattdessen wird {} verwendet.</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>Modelle …</translation>
    </message>
    <message>
        <source>The model in use</source>
        <translation>Dem verwendeten Modell</translation>
    </message>
    <message>
        <source>Best available</source>
        <translation>Das beste vorhandene</translation>
    </message>
    <message>
        <source>{} (not here)</source>
        <translation>{} (nicht hier)</translation>
    </message>
</context>
<context>
    <name>ModelManager</name>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Photos never leave this computer. Only Download uses the network.</source>
        <translation>Bilder verlassen diesen Rechner nie. Nur Laden benutzt das Netz.</translation>
    </message>
    <message>
        <source>Trimap networks, for Detail in the panel Refine</source>
        <translation>Trimap-Netze, für Detail unter Nachbearbeiten</translation>
    </message>
    <message>
        <source>Automatic networks, for Select subject</source>
        <translation>Automatische Netze, für „Hauptmotiv auswählen“</translation>
    </message>
    <message>
        <source>Inpainting networks, for Remove object from photo</source>
        <translation>Inpainting-Netze, für Objekt aus dem Foto entfernen</translation>
    </message>
    <message>
        <source>&amp;Add from disk…</source>
        <translation>Vom Datenträger &amp;hinzufügen …</translation>
    </message>
    <message>
        <source>Install a .safetensors, .pth or .bin file, a pair of ONNX graphs or an inpainting network (Alt+A)</source>
        <translation>Eine .safetensors-, .pth- oder .bin-Datei, ein Paar ONNX-Graphen oder ein Inpainting-Netz installieren (Alt+H)</translation>
    </message>
    <message>
        <source>&amp;Close</source>
        <translation>&amp;Schließen</translation>
    </message>
    <message>
        <source>Close; downloads go on ({})</source>
        <translation>Schließen; Laden läuft weiter ({})</translation>
    </message>
    <message>
        <source>Add a model</source>
        <translation>Ein Modell hinzufügen</translation>
    </message>
    <message>
        <source>Models ({})</source>
        <translation>Modelle ({})</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Alle Dateien (*)</translation>
    </message>
    <message>
        <source>Remove {}?</source>
        <translation>{} entfernen?</translation>
    </message>
    <message>
        <source>Its files in {} are deleted.</source>
        <translation>Seine Dateien in {} werden gelöscht.</translation>
    </message>
    <message>
        <source>&amp;Remove</source>
        <translation>&amp;Entfernen</translation>
    </message>
    <message>
        <source>Checking the file…</source>
        <translation>Prüft die Datei …</translation>
    </message>
</context>
<context>
    <name>ModelRow</name>
    <message>
        <source>Checking the file…</source>
        <translation>Prüft die Datei …</translation>
    </message>
    <message>
        <source>{} % of {}</source>
        <translation>{} % von {}</translation>
    </message>
    <message>
        <source>{} per second</source>
        <translation>{} je Sekunde</translation>
    </message>
    <message>
        <source>Added from the disk; its licence is not known here.</source>
        <translation>Vom Datenträger hinzugefügt; die Lizenz ist hier nicht bekannt.</translation>
    </message>
    <message>
        <source>Added from the disk; its file states the licence {}.</source>
        <translation>Vom Datenträger hinzugefügt; die Datei nennt die Lizenz {}.</translation>
    </message>
    <message>
        <source>Adapted from {} to {} corrected photos.</source>
        <translation>Aus {} an {} korrigierte Bilder angepasst.</translation>
    </message>
    <message>
        <source>On one CPU core: {} s for a new photo, then {} s for each click</source>
        <translation>Auf einem CPU-Kern: {} s für ein neues Foto, dann {} s für jeden Klick</translation>
    </message>
    <message>
        <source>Licence: {}</source>
        <translation>Lizenz: {}</translation>
    </message>
    <message>
        <source>not for commercial use</source>
        <translation>nicht für kommerzielle Nutzung</translation>
    </message>
    <message>
        <source>authors’ page</source>
        <translation>Seite der Autoren</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>Verwenden</translation>
    </message>
    <message>
        <source>Matte the active object with this model, and new photos too</source>
        <translation>Das aktive Objekt mit diesem Modell freistellen und neue Bilder auch</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Stop the download; what has arrived is kept</source>
        <translation>Das Laden anhalten; was angekommen ist, bleibt</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Entfernen</translation>
    </message>
    <message>
        <source>Delete the files from this computer</source>
        <translation>Die Dateien von diesem Rechner löschen</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Hält an …</translation>
    </message>
    <message>
        <source>Waiting for its turn</source>
        <translation>Wartet, bis es dran ist</translation>
    </message>
    <message>
        <source>Downloading</source>
        <translation>Lädt</translation>
    </message>
    <message>
        <source>{} of {} downloaded</source>
        <translation>{} von {} geladen</translation>
    </message>
    <message>
        <source>Not installed</source>
        <translation>Nicht installiert</translation>
    </message>
    <message>
        <source>Bundled</source>
        <translation>Mitgeliefert</translation>
    </message>
    <message>
        <source>Installed</source>
        <translation>Installiert</translation>
    </message>
    <message>
        <source>in use</source>
        <translation>in Verwendung</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Download {}</source>
        <translation>{} laden</translation>
    </message>
    <message>
        <source>Fetch {} from {}; the licence above applies</source>
        <translation>{} von {} holen; es gilt die Lizenz oben</translation>
    </message>
    <message>
        <source>Take {} from the Hugging Face cache, without the network; the licence above applies</source>
        <translation>{} aus dem Zwischenspeicher von Hugging Face nehmen, ohne Netz; die Lizenz oben gilt</translation>
    </message>
</context>
<context>
    <name>NameDialog</name>
    <message>
        <source>Name of the preset, and of its file</source>
        <translation>Name der Voreinstellung und ihrer Datei</translation>
    </message>
    <message>
        <source>Name of the preset</source>
        <translation>Name der Voreinstellung</translation>
    </message>
</context>
<context>
    <name>Navigator</name>
    <message>
        <source>Navigator</source>
        <translation>Navigator</translation>
    </message>
    <message>
        <source>The visible part of the photo; drag to move it</source>
        <translation>Der sichtbare Teil des Bildes; zum Verschieben ziehen</translation>
    </message>
</context>
<context>
    <name>ObjectModel</name>
    <message>
        <source>Reorder objects</source>
        <translation>Objekte umordnen</translation>
    </message>
    <message>
        <source>Rename object</source>
        <translation>Objekt umbenennen</translation>
    </message>
</context>
<context>
    <name>Objects</name>
    <message>
        <source>Show or hide (Alt: show only this one)</source>
        <translation>Zeigen oder verbergen (Alt: nur dieses zeigen)</translation>
    </message>
    <message>
        <source>Choose the colour</source>
        <translation>Die Farbe wählen</translation>
    </message>
    <message>
        <source>Show only this one</source>
        <translation>Nur dieses zeigen</translation>
    </message>
    <message>
        <source>a point</source>
        <translation>ein Punkt</translation>
    </message>
    <message>
        <source>{} points</source>
        <translation>{} Punkte</translation>
    </message>
    <message>
        <source>a scribble</source>
        <translation>ein Strich</translation>
    </message>
    <message>
        <source>{} scribbles</source>
        <translation>{} Striche</translation>
    </message>
    <message>
        <source>a lasso</source>
        <translation>ein Lasso</translation>
    </message>
    <message>
        <source>{} lassos</source>
        <translation>{} Lassos</translation>
    </message>
    <message>
        <source>a box</source>
        <translation>ein Rahmen</translation>
    </message>
    <message>
        <source>{} boxes</source>
        <translation>{} Rahmen</translation>
    </message>
    <message>
        <source>an imported mask</source>
        <translation>eine importierte Maske</translation>
    </message>
    <message>
        <source>{} imported masks</source>
        <translation>{} importierte Masken</translation>
    </message>
    <message>
        <source>a brush stroke</source>
        <translation>ein Pinselstrich</translation>
    </message>
    <message>
        <source>{} brush strokes</source>
        <translation>{} Pinselstriche</translation>
    </message>
    <message>
        <source>Object {}</source>
        <translation>Objekt {}</translation>
    </message>
    <message>
        <source>{} and {}</source>
        <translation>{} und {}</translation>
    </message>
    <message>
        <source>the only one shown</source>
        <translation>als einziges gezeigt</translation>
    </message>
    <message>
        <source>visible</source>
        <translation>sichtbar</translation>
    </message>
    <message>
        <source>hidden</source>
        <translation>verborgen</translation>
    </message>
    <message>
        <source>matte not ready</source>
        <translation>Maske nicht fertig</translation>
    </message>
    <message>
        <source>has a matte</source>
        <translation>hat eine Maske</translation>
    </message>
    <message>
        <source>empty</source>
        <translation>leer</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>the model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>the candidate</source>
        <translation>Kandidat</translation>
    </message>
    <message>
        <source>the upsampling</source>
        <translation>Vergrößerung</translation>
    </message>
    <message>
        <source>the mirrored second prediction</source>
        <translation>die gespiegelte zweite Vorhersage</translation>
    </message>
    <message>
        <source>the refinement</source>
        <translation>Nachbearbeitung</translation>
    </message>
    <message>
        <source>the prompts on imported masks</source>
        <translation>die Eingaben auf importierten Masken</translation>
    </message>
</context>
<context>
    <name>ObjectsPanel</name>
    <message>
        <source>Objects</source>
        <translation>Objekte</translation>
    </message>
    <message>
        <source>New object</source>
        <translation>Neues Objekt</translation>
    </message>
    <message>
        <source>{} copy</source>
        <translation>{} Kopie</translation>
    </message>
    <message>
        <source>Duplicate object</source>
        <translation>Objekt duplizieren</translation>
    </message>
    <message>
        <source>Duplicate {} objects</source>
        <translation>{} Objekte duplizieren</translation>
    </message>
    <message>
        <source>Delete object</source>
        <translation>Objekt löschen</translation>
    </message>
    <message>
        <source>Delete {} objects</source>
        <translation>{} Objekte löschen</translation>
    </message>
    <message>
        <source>These objects differ in: {}.</source>
        <translation>Diese Objekte unterscheiden sich in: {}.</translation>
    </message>
    <message>
        <source>One object has only one of each; “{}” can decide.</source>
        <translation>Ein Objekt hat davon nur je eines; „{}“ kann entscheiden.</translation>
    </message>
    <message>
        <source>Merge as “{}”</source>
        <translation>Als „{}“ verschmelzen</translation>
    </message>
    <message>
        <source>Some of these objects have strokes that erase or soften.</source>
        <translation>Einige dieser Objekte haben Pinselstriche, die wegnehmen oder weichzeichnen.</translation>
    </message>
    <message>
        <source>They would act on the whole merged object.</source>
        <translation>Sie würden auf das ganze verschmolzene Objekt wirken.</translation>
    </message>
    <message>
        <source>Merge anyway</source>
        <translation>Trotzdem verschmelzen</translation>
    </message>
    <message>
        <source>Merge {} objects</source>
        <translation>{} Objekte verschmelzen</translation>
    </message>
    <message>
        <source>Show object</source>
        <translation>Objekt zeigen</translation>
    </message>
    <message>
        <source>Hide object</source>
        <translation>Objekt verbergen</translation>
    </message>
    <message>
        <source>Another colour…</source>
        <translation>Andere Farbe …</translation>
    </message>
    <message>
        <source>Change colour</source>
        <translation>Farbe ändern</translation>
    </message>
</context>
<context>
    <name>OpenNotices</name>
    <message>
        <source>{} was changed since the project was saved.</source>
        <translation>{} wurde geändert, seit das Projekt gespeichert wurde.</translation>
    </message>
    <message>
        <source>Check the edges before you export.</source>
        <translation>Prüfen Sie die Ränder, bevor Sie exportieren.</translation>
    </message>
    <message>
        <source>{} was changed since you worked on it.</source>
        <translation>{} wurde geändert, seit Sie daran gearbeitet haben.</translation>
    </message>
    <message>
        <source>Restore the objects</source>
        <translation>Objekte wiederherstellen</translation>
    </message>
    <message>
        <source>These objects were made with an earlier zim-tiny. Their clicks and boxes were kept; the new one computes the edges again.</source>
        <translation>Diese Objekte entstanden mit einem früheren zim-tiny. Ihre Klicks und Rahmen sind erhalten; die Kanten berechnet das neue Modell.</translation>
    </message>
    <message>
        <source>Restore objects</source>
        <translation>Objekte wiederherstellen</translation>
    </message>
    <message>
        <source>{} is open in another window of zim-studio; what you change here is not saved.</source>
        <translation>{} ist in einem anderen Fenster von zim-studio geöffnet; was Sie hier ändern, wird nicht gespeichert.</translation>
    </message>
    <message>
        <source>Take over</source>
        <translation>Übernehmen</translation>
    </message>
</context>
<context>
    <name>OwnTransparency</name>
    <message>
        <source>{} has transparency of its own.</source>
        <translation>{} hat eigene Transparenz.</translation>
    </message>
    <message>
        <source>Use as an object</source>
        <translation>Als Objekt verwenden</translation>
    </message>
    <message>
        <source>Use the photo&apos;s transparency</source>
        <translation>Transparenz des Fotos verwenden</translation>
    </message>
    <message>
        <source>Transparency</source>
        <translation>Transparenz</translation>
    </message>
</context>
<context>
    <name>PairDialog</name>
    <message>
        <source>Save as training pair</source>
        <translation>Als Trainingspaar speichern</translation>
    </message>
    <message>
        <source>Training folder</source>
        <translation>Trainingsordner</translation>
    </message>
    <message>
        <source>Training folder; pairs go to “matte” in it, nothing is replaced</source>
        <translation>Trainingsordner; Paare kommen darin nach „matte“, nichts wird ersetzt</translation>
    </message>
    <message>
        <source>&amp;The active object</source>
        <translation>Das ak&amp;tive Objekt</translation>
    </message>
    <message>
        <source>One pair, of the active object (Alt+T)</source>
        <translation>Ein Paar, vom aktiven Objekt (Alt+T)</translation>
    </message>
    <message>
        <source>&amp;Each visible object</source>
        <translation>J&amp;edes sichtbare Objekt</translation>
    </message>
    <message>
        <source>One pair for each visible object (Alt+E)</source>
        <translation>Ein Paar für jedes sichtbare Objekt (Alt+E)</translation>
    </message>
    <message>
        <source>The photo and its matte, as training reads them.</source>
        <translation>Das Bild und seine Matte, wie das Training sie liest.</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Speichern</translation>
    </message>
    <message>
        <source>Choose a folder</source>
        <translation>Einen Ordner wählen</translation>
    </message>
</context>
<context>
    <name>Preferences</name>
    <message>
        <source>Appearance</source>
        <translation>Erscheinungsbild</translation>
    </message>
    <message>
        <source>Canvas</source>
        <translation>Arbeitsfläche</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>Dateien</translation>
    </message>
    <message>
        <source>Model and memory</source>
        <translation>Modell und Speicher</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>Farbschema</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>View at the start</source>
        <translation>Ansicht beim Start</translation>
    </message>
    <message>
        <source>How a matte is shown when the window opens</source>
        <translation>Wie eine Maske gezeigt wird, wenn das Fenster sich öffnet</translation>
    </message>
    <message>
        <source>Size of points</source>
        <translation>Größe der Punkte</translation>
    </message>
    <message>
        <source>Diameter of the points on the photo</source>
        <translation>Durchmesser der Punkte auf dem Bild</translation>
    </message>
    <message>
        <source>px</source>
        <translation>px</translation>
    </message>
    <message>
        <source>Preview under the pointer</source>
        <translation>Vorschau unter dem Zeiger</translation>
    </message>
    <message>
        <source>Show what a click would select before it is made</source>
        <translation>Zeigen, was ein Klick auswählen würde, bevor er geschieht</translation>
    </message>
    <message>
        <source>Navigator</source>
        <translation>Navigator</translation>
    </message>
    <message>
        <source>Show a small overview while only a part of the photo is seen</source>
        <translation>Eine kleine Übersicht zeigen, solange nur ein Teil des Bildes zu sehen ist</translation>
    </message>
    <message>
        <source>The overlay tints</source>
        <translation>Die Überlagerung tönt</translation>
    </message>
    <message>
        <source>The masked areas</source>
        <translation>Die verdeckten Bereiche</translation>
    </message>
    <message>
        <source>The selected areas</source>
        <translation>Die gewählten Bereiche</translation>
    </message>
    <message>
        <source>Colour of masked areas</source>
        <translation>Farbe verdeckter Bereiche</translation>
    </message>
    <message>
        <source>Selected areas have their object&apos;s colour</source>
        <translation>Gewählte Bereiche haben die Farbe ihres Objekts</translation>
    </message>
    <message>
        <source>Strength of the overlay</source>
        <translation>Stärke der Überlagerung</translation>
    </message>
    <message>
        <source>%</source>
        <translation>%</translation>
    </message>
    <message>
        <source>Grey around the photo</source>
        <translation>Grau um das Bild</translation>
    </message>
    <message>
        <source>0 is black, 255 white; always neutral, so that colours look right</source>
        <translation>0 ist Schwarz, 255 Weiß; immer neutral, damit Farben richtig wirken</translation>
    </message>
    <message>
        <source>Squares of the checker board</source>
        <translation>Felder des Schachbretts</translation>
    </message>
    <message>
        <source>Their side behind transparent parts</source>
        <translation>Ihre Kantenlänge hinter durchsichtigen Teilen</translation>
    </message>
    <message>
        <source>Light squares</source>
        <translation>Helle Felder</translation>
    </message>
    <message>
        <source>Dark squares</source>
        <translation>Dunkle Felder</translation>
    </message>
    <message>
        <source>Recent files to remember</source>
        <translation>Zahl der zuletzt geöffneten Dateien</translation>
    </message>
    <message>
        <source>Save a recovery copy after</source>
        <translation>Sicherungskopie speichern nach</translation>
    </message>
    <message>
        <source>How long after a change; 0 keeps no recovery copy</source>
        <translation>Wie lange nach einer Änderung; mit 0 gibt es keine Sicherungskopie</translation>
    </message>
    <message>
        <source>s</source>
        <translation>s</translation>
    </message>
    <message>
        <source>Folder for quick export</source>
        <translation>Ordner für den Schnellexport</translation>
    </message>
    <message>
        <source>Names for quick export</source>
        <translation>Namen für den Schnellexport</translation>
    </message>
    <message>
        <source>Size of a new brush</source>
        <translation>Größe eines neuen Pinsels</translation>
    </message>
    <message>
        <source>Diameter in pixels of the photo; 0 fits the photo</source>
        <translation>Durchmesser in Bildpixeln; 0 passt zum Bild</translation>
    </message>
    <message>
        <source>A name is a folder beside the photo, where it is no photo of the strip; empty is the folder of the photo itself</source>
        <translation>Ein Name ist ein Ordner neben dem Foto, außerhalb des Filmstreifens; leer ist der Ordner des Fotos selbst</translation>
    </message>
    <message>
        <source>{name} is the photo&apos;s, {object} the object&apos;s; {what}, {n}, {width}, {height} and {date} can be used too</source>
        <translation>{name} ist der des Bildes, {object} der des Objekts; {what}, {n}, {width}, {height} und {date} gehen auch</translation>
    </message>
    <message>
        <source>Format for quick export</source>
        <translation>Format für den Schnellexport</translation>
    </message>
    <message>
        <source>Photoshop (layers)</source>
        <translation>Photoshop (Ebenen)</translation>
    </message>
    <message>
        <source>OpenRaster (layers)</source>
        <translation>OpenRaster (Ebenen)</translation>
    </message>
    <message>
        <source>Opacity that trimming leaves out</source>
        <translation>Deckkraft, die das Zuschneiden weglässt</translation>
    </message>
    <message>
        <source>Pixels up to this opacity, of 255, are not seen and do not count</source>
        <translation>Pixel bis zu dieser Deckkraft, von 255, sieht man nicht; sie zählen nicht</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Where models run</source>
        <translation>Worauf das Modell rechnet</translation>
    </message>
    <message>
        <source>Best available</source>
        <translation>Das beste vorhandene</translation>
    </message>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>NVIDIA GPU</source>
        <translation>NVIDIA-GPU</translation>
    </message>
    <message>
        <source>Second NVIDIA GPU</source>
        <translation>Zweite NVIDIA-GPU</translation>
    </message>
    <message>
        <source>Third NVIDIA GPU</source>
        <translation>Dritte NVIDIA-GPU</translation>
    </message>
    <message>
        <source>Fourth NVIDIA GPU</source>
        <translation>Vierte NVIDIA-GPU</translation>
    </message>
    <message>
        <source>Apple GPU</source>
        <translation>Apple-GPU</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>Genauigkeit</translation>
    </message>
    <message>
        <source>Half is faster and saves memory on GPUs that support it</source>
        <translation>Halbe Genauigkeit ist schneller und spart Speicher auf GPUs, die sie unterstützen</translation>
    </message>
    <message>
        <source>Full (32 bit)</source>
        <translation>Voll (32 Bit)</translation>
    </message>
    <message>
        <source>Half (16 bit)</source>
        <translation>Halb (16 Bit)</translation>
    </message>
    <message>
        <source>Half (bfloat16)</source>
        <translation>Halb (bfloat16)</translation>
    </message>
    <message>
        <source>Memory for encoded photos</source>
        <translation>Speicher für kodierte Bilder</translation>
    </message>
    <message>
        <source>Photos opened again within this limit need not be encoded again</source>
        <translation>Darin gemerkte Bilder müssen beim erneuten Öffnen nicht neu kodiert werden</translation>
    </message>
    <message>
        <source>MB</source>
        <translation>MB</translation>
    </message>
    <message>
        <source>Memory for undo and redo</source>
        <translation>Speicher für Rückgängig und Wiederherstellen</translation>
    </message>
    <message>
        <source>Steps within this limit come back at once; older ones are computed again</source>
        <translation>Darin gemerkte Schritte kommen sofort zurück; ältere werden neu berechnet</translation>
    </message>
</context>
<context>
    <name>PresetBar</name>
    <message>
        <source>Named settings of the export</source>
        <translation>Benannte Einstellungen des Exports</translation>
    </message>
    <message>
        <source>Manage the presets</source>
        <translation>Voreinstellungen verwalten</translation>
    </message>
    <message>
        <source>&amp;Save</source>
        <translation>&amp;Speichern</translation>
    </message>
    <message>
        <source>Save &amp;as…</source>
        <translation>Speichern &amp;unter …</translation>
    </message>
    <message>
        <source>&amp;Rename…</source>
        <translation>Um&amp;benennen …</translation>
    </message>
    <message>
        <source>&amp;Delete…</source>
        <translation>&amp;Löschen …</translation>
    </message>
    <message>
        <source>&amp;Import…</source>
        <translation>&amp;Importieren …</translation>
    </message>
    <message>
        <source>&amp;Export…</source>
        <translation>&amp;Exportieren …</translation>
    </message>
    <message>
        <source>Custom</source>
        <translation>Eigene</translation>
    </message>
    <message>
        <source>{} (changed)</source>
        <translation>{} (geändert)</translation>
    </message>
    <message>
        <source>… and {} more</source>
        <translation>… und {} weitere</translation>
    </message>
    <message>
        <source>Save as</source>
        <translation>Speichern unter</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Umbenennen</translation>
    </message>
    <message>
        <source>Delete preset</source>
        <translation>Voreinstellung löschen</translation>
    </message>
    <message>
        <source>Delete the preset {}? Its file is removed from the disk.</source>
        <translation>Die Voreinstellung {} löschen? Ihre Datei wird vom Datenträger entfernt.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Import a preset</source>
        <translation>Eine Voreinstellung importieren</translation>
    </message>
    <message>
        <source>Export the preset</source>
        <translation>Die Voreinstellung exportieren</translation>
    </message>
    <message>
        <source>preset</source>
        <translation>Voreinstellung</translation>
    </message>
    <message>
        <source>Presets ({})</source>
        <translation>Voreinstellungen ({})</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Alle Dateien (*)</translation>
    </message>
</context>
<context>
    <name>RecoveryNotice</name>
    <message>
        <source>Recovered your work on {}; the program was not closed properly.</source>
        <translation>Ihre Arbeit an {} ist wiederhergestellt; das Programm wurde nicht richtig beendet.</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Restore unsaved changes</source>
        <translation>Ungespeicherte Änderungen wiederherstellen</translation>
    </message>
</context>
<context>
    <name>Refine</name>
    <message>
        <source>Makes the soft edge steeper, but never hard</source>
        <translation>Macht den weichen Rand steiler, aber nie hart</translation>
    </message>
    <message>
        <source>Contrast</source>
        <translation>Kontrast</translation>
    </message>
    <message>
        <source>Moves the edge outwards, or inwards below zero</source>
        <translation>Verschiebt den Rand nach außen, unter null nach innen</translation>
    </message>
    <message>
        <source>Shift edge</source>
        <translation>Rand verschieben</translation>
    </message>
    <message>
        <source>Blurs the edge</source>
        <translation>Zeichnet den Rand weich</translation>
    </message>
    <message>
        <source>Feather</source>
        <translation>Weiche Kante</translation>
    </message>
    <message>
        <source>Frees soft edges from the background&apos;s colour</source>
        <translation>Befreit weiche Ränder von der Farbe des Hintergrunds</translation>
    </message>
    <message>
        <source>Decontaminate colours</source>
        <translation>Farbränder entfernen</translation>
    </message>
    <message>
        <source>Follow the photo</source>
        <translation>Dem Bild folgen</translation>
    </message>
    <message>
        <source>The model&apos;s matte, aligned with the photo&apos;s edges</source>
        <translation>Die Maske des Modells, an die Kanten des Bildes gezogen</translation>
    </message>
    <message>
        <source>Smooth</source>
        <translation>Glatt</translation>
    </message>
    <message>
        <source>The model&apos;s matte, only enlarged</source>
        <translation>Die Maske des Modells, nur vergrößert</translation>
    </message>
    <message>
        <source>As the official code</source>
        <translation>Wie der offizielle Code</translation>
    </message>
    <message>
        <source>What the code of the model&apos;s authors gives, for comparisons</source>
        <translation>Was der Code der Autoren des Modells ergibt, für Vergleiche</translation>
    </message>
    <message>
        <source>Native resolution</source>
        <translation>Volle Auflösung</translation>
    </message>
    <message>
        <source>The edge is predicted again in close-up; slower</source>
        <translation>Der Rand wird aus der Nähe noch einmal berechnet; langsamer</translation>
    </message>
    <message>
        <source>Trimap network</source>
        <translation>Trimap-Netz</translation>
    </message>
    <message>
        <source>The soft edge is solved by a matting network, in tiles at full resolution; takes longest</source>
        <translation>Ein Matting-Netz berechnet den weichen Rand in Kacheln bei voller Auflösung; dauert am längsten</translation>
    </message>
</context>
<context>
    <name>RefinePanel</name>
    <message>
        <source>Refine</source>
        <translation>Nachbearbeiten</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>Zurücksetzen</translation>
    </message>
    <message>
        <source>Copy the refinement, for other objects and photos</source>
        <translation>Die Nachbearbeitung kopieren, für andere Objekte und Fotos</translation>
    </message>
    <message>
        <source>Paste the copied refinement</source>
        <translation>Die kopierte Nachbearbeitung einfügen</translation>
    </message>
    <message>
        <source>Begin new objects with this refinement</source>
        <translation>Neue Objekte mit dieser Nachbearbeitung beginnen</translation>
    </message>
    <message>
        <source>Clean edge</source>
        <translation>Sauberer Rand</translation>
    </message>
    <message>
        <source>Edge</source>
        <translation>Rand</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>Farben</translation>
    </message>
    <message>
        <source>Detail</source>
        <translation>Detail</translation>
    </message>
    <message>
        <source>Not with the detail of the official code, which is kept exact</source>
        <translation>Nicht mit dem Detail des offiziellen Codes, das exakt bleibt</translation>
    </message>
    <message>
        <source>Makes the inside opaque and the background transparent where the model nearly does; not for glass or veils</source>
        <translation>Macht das Innere deckend und den Hintergrund durchsichtig, wo das Modell es beinahe tut; nicht für Glas oder Schleier</translation>
    </message>
    <message>
        <source>Higher quality (slower)</source>
        <translation>Höhere Qualität (langsamer)</translation>
    </message>
    <message>
        <source>Set all refinement back, except brush strokes</source>
        <translation>Alle Nachbearbeitung außer Pinselstrichen zurücksetzen</translation>
    </message>
    <message>
        <source>Paste refinement</source>
        <translation>Nachbearbeitung einfügen</translation>
    </message>
    <message>
        <source>Higher quality</source>
        <translation>Höhere Qualität</translation>
    </message>
    <message>
        <source>Gives the model the mirrored photo too and takes the mean of both predictions; a little more exact, takes twice as long</source>
        <translation>Gibt dem Modell auch das gespiegelte Bild und nimmt das Mittel beider Vorhersagen; etwas genauer, dauert doppelt so lange</translation>
    </message>
    <message>
        <source>Reset refinement</source>
        <translation>Nachbearbeitung zurücksetzen</translation>
    </message>
</context>
<context>
    <name>ResultsView</name>
    <message>
        <source>Nothing is measured yet.</source>
        <translation>Noch ist nichts gemessen.</translation>
    </message>
    <message>
        <source>Curves come with the prompts “Clicks”: the error after each click.</source>
        <translation>Kurven gibt es mit der Eingabe „Klicks“: der Fehler nach jedem Klick.</translation>
    </message>
    <message>
        <source>Which metrics the tables show</source>
        <translation>Welche Maße die Tabellen zeigen</translation>
    </message>
    <message>
        <source>ZIM&apos;s metrics</source>
        <translation>Maße von ZIM</translation>
    </message>
    <message>
        <source>alphamatting.com</source>
        <translation>alphamatting.com</translation>
    </message>
    <message>
        <source>Masks and outlines</source>
        <translation>Masken und Umrisse</translation>
    </message>
    <message>
        <source>Means</source>
        <translation>Mittelwerte</translation>
    </message>
    <message>
        <source>Photos</source>
        <translation>Bilder</translation>
    </message>
    <message>
        <source>Charts</source>
        <translation>Diagramme</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Fehlgeschlagen</translation>
    </message>
    <message>
        <source>Means of every model and kind of prompt</source>
        <translation>Mittelwerte jedes Modells und jeder Art von Eingabe</translation>
    </message>
    <message>
        <source>Every row, the worst first, and its photos</source>
        <translation>Jede Zeile, die schlechteste zuerst, und ihre Bilder</translation>
    </message>
    <message>
        <source>How errors are distributed, and how they fall with clicks</source>
        <translation>Wie sich Fehler verteilen und wie sie mit Klicks fallen</translation>
    </message>
    <message>
        <source>Rows that could not be measured, and why</source>
        <translation>Was nicht gemessen werden konnte und warum</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>Ergebnisse</translation>
    </message>
    <message>
        <source>Metric of the histogram</source>
        <translation>Maß des Histogramms</translation>
    </message>
    <message>
        <source>Metric of the curves</source>
        <translation>Maß der Kurven</translation>
    </message>
    <message>
        <source>Histogram of</source>
        <translation>Histogramm von</translation>
    </message>
    <message>
        <source>Curves of</source>
        <translation>Kurven von</translation>
    </message>
    <message>
        <source>Failed ({})</source>
        <translation>Fehlgeschlagen ({})</translation>
    </message>
    <message>
        <source>How often each {}</source>
        <translation>Wie oft jeder Wert von {}</translation>
    </message>
    <message>
        <source>rows</source>
        <translation>Zeilen</translation>
    </message>
    <message>
        <source>Mean {} after each click, all subsets and sizes</source>
        <translation>Mittleres {} nach jedem Klick, alle Teile und Größen</translation>
    </message>
    <message>
        <source>clicks</source>
        <translation>Klicks</translation>
    </message>
</context>
<context>
    <name>RunBar</name>
    <message>
        <source>&amp;Start</source>
        <translation>&amp;Starten</translation>
    </message>
    <message>
        <source>&amp;Pause</source>
        <translation>&amp;Pause</translation>
    </message>
    <message>
        <source>S&amp;top</source>
        <translation>S&amp;toppen</translation>
    </message>
    <message>
        <source>Stop; finished rows are kept (Alt+T)</source>
        <translation>Stoppen; fertige Zeilen bleiben (Alt+T)</translation>
    </message>
    <message>
        <source>Re&amp;sume</source>
        <translation>Fort&amp;setzen</translation>
    </message>
    <message>
        <source>Go on; finished rows are not done again (Alt+S)</source>
        <translation>Fortsetzen; fertige Zeilen werden nicht wiederholt (Alt+S)</translation>
    </message>
    <message>
        <source>Start the evaluation (Alt+S)</source>
        <translation>Die Auswertung starten (Alt+S)</translation>
    </message>
    <message>
        <source>&amp;Go on</source>
        <translation>&amp;Weiter</translation>
    </message>
    <message>
        <source>Go on (Alt+G)</source>
        <translation>Weiter (Alt+W)</translation>
    </message>
    <message>
        <source>Pause after the row under way (Alt+P)</source>
        <translation>Nach der laufenden Zeile anhalten (Alt+P)</translation>
    </message>
    <message>
        <source>{} of {} rows</source>
        <translation>{} von {} Zeilen</translation>
    </message>
</context>
<context>
    <name>Samples</name>
    <message>
        <source>Astronaut</source>
        <translation>Astronautin</translation>
    </message>
    <message>
        <source>Cat</source>
        <translation>Katze</translation>
    </message>
    <message>
        <source>Coffee</source>
        <translation>Kaffee</translation>
    </message>
</context>
<context>
    <name>Section</name>
    <message>
        <source>Show or fold away this part of the panel</source>
        <translation>Diesen Teil zeigen oder einklappen</translation>
    </message>
    <message>
        <source>open</source>
        <translation>offen</translation>
    </message>
    <message>
        <source>folded away</source>
        <translation>eingeklappt</translation>
    </message>
</context>
<context>
    <name>SettingsDialog</name>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Suchen</translation>
    </message>
    <message>
        <source>Show only entries with these words</source>
        <translation>Nur zeigen, was diese Wörter enthält</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>Seiten</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>Reset page</source>
        <translation>Seite zurücksetzen</translation>
    </message>
    <message>
        <source>Go back to the defaults of this page</source>
        <translation>Diese Seite auf die Standardwerte zurücksetzen</translation>
    </message>
</context>
<context>
    <name>SettingsPage</name>
    <message>
        <source>Back to the default</source>
        <translation>Zurück zum Standard</translation>
    </message>
    <message>
        <source>Applies when zim-studio starts again.</source>
        <translation>Gilt, wenn zim-studio neu startet.</translation>
    </message>
</context>
<context>
    <name>SetupPanel</name>
    <message>
        <source>Data set</source>
        <translation>Datensatz</translation>
    </message>
    <message>
        <source>Folder of photos and mattes</source>
        <translation>Ordner mit Bildern und Masken</translation>
    </message>
    <message>
        <source>Folder of the data set; its layout is found out (Enter)</source>
        <translation>Ordner des Datensatzes; sein Aufbau wird erkannt (Eingabetaste)</translation>
    </message>
    <message>
        <source>Choose the folder of the data set</source>
        <translation>Ordner des Datensatzes wählen</translation>
    </message>
    <message>
        <source>Make a small set of drawn images, to try the evaluation</source>
        <translation>Einen kleinen Datensatz aus gezeichneten Bildern anlegen, zum Ausprobieren</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>Eingaben</translation>
    </message>
    <message>
        <source>P&amp;oint</source>
        <translation>P&amp;unkt</translation>
    </message>
    <message>
        <source>The given points, or one click in the object&apos;s middle (Alt+O)</source>
        <translation>Die gegebenen Punkte oder ein Klick in die Mitte des Objekts (Alt+U)</translation>
    </message>
    <message>
        <source>&amp;Box</source>
        <translation>&amp;Rahmen</translation>
    </message>
    <message>
        <source>The given box, or the tight one (Alt+B)</source>
        <translation>Der gegebene oder der enge Rahmen (Alt+R)</translation>
    </message>
    <message>
        <source>C&amp;licks</source>
        <translation>K&amp;licks</translation>
    </message>
    <message>
        <source>Simulated clicks, each at the largest error so far (Alt+L)</source>
        <translation>Simulierte Klicks, jeder dort, wo die Antwort am falschesten ist (Alt+L)</translation>
    </message>
    <message>
        <source>How many clicks are made</source>
        <translation>Wie viele Klicks gemacht werden</translation>
    </message>
    <message>
        <source>Modes 1 to 5</source>
        <translation>Modi 1 bis 5</translation>
    </message>
    <message>
        <source>The protocol for medical images: centre of the largest part, centres of three parts, box of the largest, boxes of three, box of all</source>
        <translation>Das Protokoll für medizinische Bilder: Mitte des größten Teils, Mitten von drei Teilen, Rahmen des größten, Rahmen von dreien, Rahmen um alles</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>Lauf</translation>
    </message>
    <message>
        <source>Where the models run; they are loaded a second time, beside the studio&apos;s</source>
        <translation>Wo die Modelle rechnen; sie werden ein zweites Mal geladen, neben denen des Studios</translation>
    </message>
    <message>
        <source>How mattes are enlarged to the size of the photo</source>
        <translation>Wie Antworten so groß wie das Bild gemacht werden</translation>
    </message>
    <message>
        <source>Guided by the photo</source>
        <translation>Am Bild ausgerichtet</translation>
    </message>
    <message>
        <source>As the official code</source>
        <translation>Wie der offizielle Code</translation>
    </message>
    <message>
        <source>Bilinear</source>
        <translation>Bilinear</translation>
    </message>
    <message>
        <source>Native resolution (slow)</source>
        <translation>Volle Auflösung (langsam)</translation>
    </message>
    <message>
        <source>Trimap network (slow)</source>
        <translation>Trimap-Netz (langsam)</translation>
    </message>
    <message>
        <source>Predict t&amp;wice</source>
        <translation>Zweimal &amp;berechnen</translation>
    </message>
    <message>
        <source>Gives the models the mirrored photo too and takes the mean of both predictions; takes twice as long (Alt+W)</source>
        <translation>Gibt den Modellen auch das gespiegelte Bild und nimmt das Mittel beider Vorhersagen; dauert doppelt so lange (Alt+B)</translation>
    </message>
    <message>
        <source>Take so many objects, spread evenly over the set</source>
        <translation>So viele Objekte nehmen, gleichmäßig über den Datensatz verteilt</translation>
    </message>
    <message>
        <source>all</source>
        <translation>alle</translation>
    </message>
    <message>
        <source>&amp;Keep whole mattes</source>
        <translation>Ganze Masken be&amp;halten</translation>
    </message>
    <message>
        <source>Keep every matte as a PNG file, not only a thumbnail; needs disk space (Alt+K)</source>
        <translation>Jede Maske als PNG-Datei behalten, nicht nur ein kleines Bild; braucht Platz auf der Platte (Alt+H)</translation>
    </message>
    <message>
        <source>Device</source>
        <translation>Gerät</translation>
    </message>
    <message>
        <source>Upsampling</source>
        <translation>Vergrößern</translation>
    </message>
    <message>
        <source>Objects</source>
        <translation>Objekte</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>Ergebnisse</translation>
    </message>
    <message>
        <source>Folder of the results; a run there is gone on with (Enter)</source>
        <translation>Ordner der Ergebnisse; ein Lauf dort wird fortgesetzt (Eingabetaste)</translation>
    </message>
    <message>
        <source>Folder of the results</source>
        <translation>Ordner der Ergebnisse</translation>
    </message>
    <message>
        <source>Choose the folder of the results</source>
        <translation>Ordner der Ergebnisse wählen</translation>
    </message>
    <message>
        <source>Choose a data set first</source>
        <translation>Wählen Sie zuerst einen Datensatz</translation>
    </message>
    <message>
        <source>Check a model or a folder of predictions first</source>
        <translation>Kreuzen Sie zuerst ein Modell oder einen Ordner mit Vorhersagen an</translation>
    </message>
    <message>
        <source>Check a kind of prompt first</source>
        <translation>Kreuzen Sie zuerst eine Art von Eingabe an</translation>
    </message>
    <message>
        <source>Choose a folder for the results first</source>
        <translation>Wählen Sie zuerst einen Ordner für die Ergebnisse</translation>
    </message>
    <message>
        <source>As in the studio</source>
        <translation>Wie im Studio</translation>
    </message>
    <message>
        <source>Best available</source>
        <translation>Bestes verfügbares</translation>
    </message>
    <message>
        <source>{}: {} objects on {} photos</source>
        <translation>{}: {} Objekte auf {} Bildern</translation>
    </message>
    <message>
        <source>{} files do not fit</source>
        <translation>{} Dateien passen nicht</translation>
    </message>
    <message>
        <source>Where to make the small set</source>
        <translation>Wo der kleine Datensatz angelegt wird</translation>
    </message>
</context>
<context>
    <name>ShadowHint</name>
    <message>
        <source>Looking for the shadow…</source>
        <translation>Der Schatten wird gesucht …</translation>
    </message>
    <message>
        <source>A shadow was found.</source>
        <translation>Ein Schatten wurde gefunden.</translation>
    </message>
    <message>
        <source>A shadow was found for {} of {} files.</source>
        <translation>Für {} von {} Dateien wurde ein Schatten gefunden.</translation>
    </message>
</context>
<context>
    <name>ShortcutPage</name>
    <message>
        <source>Click here, then press the new key</source>
        <translation>Hier klicken, dann die neue Taste drücken</translation>
    </message>
    <message>
        <source>Use it here</source>
        <translation>Hier verwenden</translation>
    </message>
    <message>
        <source>No key</source>
        <translation>Keine Taste</translation>
    </message>
    <message>
        <source>Default key</source>
        <translation>Standardtaste</translation>
    </message>
    <message>
        <source>Take the key away from the other action</source>
        <translation>Dem anderen Befehl die Taste wegnehmen</translation>
    </message>
    <message>
        <source>Leave the action without a key</source>
        <translation>Dem Befehl keine Taste geben</translation>
    </message>
    <message>
        <source>Give the action its default keys</source>
        <translation>Dem Befehl seine Standardtasten geben</translation>
    </message>
    <message>
        <source>Action</source>
        <translation>Befehl</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>Actions and their keys</source>
        <translation>Befehle und ihre Tasten</translation>
    </message>
    <message>
        <source>New key:</source>
        <translation>Neue Taste:</translation>
    </message>
    <message>
        <source>{} always does this on the canvas: {}.</source>
        <translation>{} tut auf dem Bild immer dies: {}.</translation>
    </message>
    <message>
        <source>{} belongs to “{}”.</source>
        <translation>{} gehört zu „{}“.</translation>
    </message>
</context>
<context>
    <name>SliderField</name>
    <message>
        <source>{}. Double-click resets it.</source>
        <translation>{}. Doppelklick setzt zurück.</translation>
    </message>
</context>
<context>
    <name>SpokenState</name>
    <message>
        <source>The matte is ready: {}</source>
        <translation>Die Maske ist fertig: {}</translation>
    </message>
    <message>
        <source>Tool: {}.</source>
        <translation>Werkzeug: {}.</translation>
    </message>
    <message>
        <source>View: {}.</source>
        <translation>Ansicht: {}.</translation>
    </message>
</context>
<context>
    <name>StartPage</name>
    <message>
        <source>Start page</source>
        <translation>Startseite</translation>
    </message>
    <message>
        <source>Go on with:</source>
        <translation>Weiter mit:</translation>
    </message>
    <message>
        <source>Or try one of these:</source>
        <translation>Oder eines davon ausprobieren:</translation>
    </message>
    <message>
        <source>Drop a photo here</source>
        <translation>Ein Bild hier ablegen</translation>
    </message>
    <message>
        <source>Open a photo…</source>
        <translation>Ein Bild öffnen …</translation>
    </message>
    <message>
        <source>Choose a file to open</source>
        <translation>Eine Datei zum Öffnen wählen</translation>
    </message>
    <message>
        <source>Click on what you want to keep.</source>
        <translation>Anklicken, was bleiben soll.</translation>
    </message>
    <message>
        <source>Right-click on what does not belong to it.</source>
        <translation>Rechts anklicken, was nicht dazugehört.</translation>
    </message>
    <message>
        <source>Or drag a box around it. Then export the cut-out.</source>
        <translation>Oder einen Rahmen darum ziehen. Dann den Freisteller exportieren.</translation>
    </message>
</context>
<context>
    <name>StatusBar</name>
    <message>
        <source>Pixel under the pointer</source>
        <translation>Pixel unter dem Zeiger</translation>
    </message>
    <message>
        <source>Opacity under the pointer, 0 to 1</source>
        <translation>Deckkraft unter dem Zeiger, 0 bis 1</translation>
    </message>
    <message>
        <source>Time to encode the photo and to answer a click</source>
        <translation>Zeit, um das Bild zu kodieren und einen Klick zu beantworten</translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <source>x {}  y {}</source>
        <translation>x {}  y {}</translation>
    </message>
    <message>
        <source>alpha {}</source>
        <translation>Alpha {}</translation>
    </message>
    <message>
        <source>{} %</source>
        <translation>{} %</translation>
    </message>
    <message>
        <source>encode {:.0f} ms</source>
        <translation>Kodieren {:.0f} ms</translation>
    </message>
    <message>
        <source>click {:.0f} ms</source>
        <translation>Klick {:.0f} ms</translation>
    </message>
    <message>
        <source>matte {:.0f} ms</source>
        <translation>Maske {:.0f} ms</translation>
    </message>
    <message>
        <source>Screen pixels per pixel; click to choose</source>
        <translation>Bildschirmpixel je Bildpixel; zum Wählen klicken</translation>
    </message>
    <message>
        <source>Zoom</source>
        <translation>Zoom</translation>
    </message>
    <message>
        <source>Fit to window</source>
        <translation>In Fenster einpassen</translation>
    </message>
    <message>
        <source>Model, and the device that really ran (precision)</source>
        <translation>Modell und das Gerät, das wirklich lief (Genauigkeit)</translation>
    </message>
</context>
<context>
    <name>StripModel</name>
    <message>
        <source>{} – has prompts</source>
        <translation>{} – hat Markierungen</translation>
    </message>
    <message>
        <source>{} – exported</source>
        <translation>{} – exportiert</translation>
    </message>
</context>
<context>
    <name>SubjectController</name>
    <message>
        <source>Select subject</source>
        <translation>Hauptmotiv auswählen</translation>
    </message>
    <message>
        <source>Subject</source>
        <translation>Hauptmotiv</translation>
    </message>
</context>
<context>
    <name>SystemsBox</name>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>Installed models; check those to compare (Space)</source>
        <translation>Installierte Modelle; kreuzen Sie an, was verglichen wird (Leertaste)</translation>
    </message>
    <message>
        <source>Folders of predictions</source>
        <translation>Ordner mit Vorhersagen</translation>
    </message>
    <message>
        <source>Mattes that other systems made, as PROMPT/CASE.png, CASE_PROMPT.png or CASE.png; a double click renames (F2)</source>
        <translation>Masken, die andere Systeme gemacht haben, als PROMPT/CASE.png, CASE_PROMPT.png oder CASE.png; ein Doppelklick benennt um (F2)</translation>
    </message>
    <message>
        <source>Add a folder of another system&apos;s mattes</source>
        <translation>Einen Ordner mit Masken eines anderen Systems hinzufügen</translation>
    </message>
    <message>
        <source>Remove the folder from the list; its files stay</source>
        <translation>Den Ordner aus der Liste nehmen; seine Dateien bleiben</translation>
    </message>
    <message>
        <source>Choose a folder of another system&apos;s mattes</source>
        <translation>Ordner mit Masken eines anderen Systems wählen</translation>
    </message>
</context>
<context>
    <name>Tool</name>
    <message>
        <source>Point and box</source>
        <translation>Punkt und Rahmen</translation>
    </message>
    <message>
        <source>Click what belongs to the object, right-click what does not, or drag a box around it</source>
        <translation>Anklicken, was zum Objekt gehört, rechts anklicken, was nicht, oder einen Rahmen darum ziehen</translation>
    </message>
    <message>
        <source>Scribble</source>
        <translation>Strich</translation>
    </message>
    <message>
        <source>Draw a line over what belongs to the object, with the right button over what does not</source>
        <translation>Eine Linie über das ziehen, was zum Objekt gehört, mit der rechten Taste über das, was nicht</translation>
    </message>
    <message>
        <source>Lasso</source>
        <translation>Lasso</translation>
    </message>
    <message>
        <source>Draw a loop around the object, with the right button around what is not part of it</source>
        <translation>Eine Schleife um das Objekt ziehen, mit der rechten Taste um das, was nicht dazugehört</translation>
    </message>
    <message>
        <source>Brush</source>
        <translation>Pinsel</translation>
    </message>
    <message>
        <source>Paint alpha itself; the right button does the opposite, Shift + click draws a straight line</source>
        <translation>Alpha selbst malen; die rechte Taste tut das Gegenteil, Umschalt + Klick zieht eine gerade Linie</translation>
    </message>
    <message>
        <source>Remove colour</source>
        <translation>Farbe entfernen</translation>
    </message>
    <message>
        <source>Click a colour that shall be transparent, as a green screen; drag away to remove more, right-click to restore</source>
        <translation>Farbe anklicken, die durchsichtig werden soll, etwa einen Greenscreen; wegziehen entfernt mehr, Rechtsklick stellt wieder her</translation>
    </message>
    <message>
        <source>Hand</source>
        <translation>Hand</translation>
    </message>
    <message>
        <source>Drag the photo</source>
        <translation>Das Bild ziehen</translation>
    </message>
</context>
<context>
    <name>ToolController</name>
    <message>
        <source>Tools</source>
        <translation>Werkzeuge</translation>
    </message>
</context>
<context>
    <name>ToolOptions</name>
    <message>
        <source>Positive</source>
        <translation>Positiv</translation>
    </message>
    <message>
        <source>The line is on the object</source>
        <translation>Die Linie liegt auf dem Objekt</translation>
    </message>
    <message>
        <source>Negative</source>
        <translation>Negativ</translation>
    </message>
    <message>
        <source>The line is not on the object</source>
        <translation>Die Linie liegt nicht auf dem Objekt</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Painted areas become opaque</source>
        <translation>Was gemalt wird, wird deckend</translation>
    </message>
    <message>
        <source>Erase</source>
        <translation>Wegnehmen</translation>
    </message>
    <message>
        <source>Painted areas become transparent</source>
        <translation>Was gemalt wird, wird durchsichtig</translation>
    </message>
    <message>
        <source>Soften</source>
        <translation>Weichzeichnen</translation>
    </message>
    <message>
        <source>Edges that are painted over become softer</source>
        <translation>Übermalte Ränder werden weicher</translation>
    </message>
    <message>
        <source>Refine edge</source>
        <translation>Kante verfeinern</translation>
    </message>
    <message>
        <source>Hair, fur and leaves that are painted over are solved from their colours</source>
        <translation>Übermalte Haare, Fell und Blätter werden aus ihren Farben berechnet</translation>
    </message>
</context>
<context>
    <name>ToolOptionsBar</name>
    <message>
        <source>Tool options</source>
        <translation>Werkzeugoptionen</translation>
    </message>
</context>
<context>
    <name>ViewController</name>
    <message>
        <source>Background colour</source>
        <translation>Hintergrundfarbe</translation>
    </message>
    <message>
        <source>Background image</source>
        <translation>Hintergrundbild</translation>
    </message>
    <message>
        <source>Background of the cut-out: {}; click for the next</source>
        <translation>Hintergrund des Freistellers: {}; klicken für den nächsten</translation>
    </message>
</context>
<context>
    <name>ViewMode</name>
    <message>
        <source>Overlay</source>
        <translation>Überlagerung</translation>
    </message>
    <message>
        <source>Overlay: tint what is not selected, or is</source>
        <translation>Überlagerung: tönt, was nicht gewählt ist, oder was es ist</translation>
    </message>
    <message>
        <source>Cut-out</source>
        <translation>Freisteller</translation>
    </message>
    <message>
        <source>Cut-out: show the objects over a background</source>
        <translation>Freisteller: das Ausgewählte vor einem Hintergrund zeigen</translation>
    </message>
    <message>
        <source>Matte</source>
        <translation>Maske</translation>
    </message>
    <message>
        <source>Matte: show the opacity, white being opaque</source>
        <translation>Maske: die Deckkraft zeigen, Weiß ist deckend</translation>
    </message>
    <message>
        <source>Outline</source>
        <translation>Umriss</translation>
    </message>
    <message>
        <source>Outline: show where the opacity is one half</source>
        <translation>Umriss: zeigen, wo die Deckkraft halb ist</translation>
    </message>
    <message>
        <source>Uncertainty</source>
        <translation>Unsicherheit</translation>
    </message>
    <message>
        <source>Uncertainty: show where the matte is neither in nor out</source>
        <translation>Unsicherheit: zeigen, wo die Maske weder drinnen noch draußen ist</translation>
    </message>
    <message>
        <source>Photo</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Photo: show the photo alone</source>
        <translation>Bild: nur das Bild zeigen</translation>
    </message>
    <message>
        <source>Checker board</source>
        <translation>Schachbrett</translation>
    </message>
    <message>
        <source>Black</source>
        <translation>Schwarz</translation>
    </message>
    <message>
        <source>White</source>
        <translation>Weiß</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>Farbe</translation>
    </message>
    <message>
        <source>Another image</source>
        <translation>Anderes Bild</translation>
    </message>
</context>
<context>
    <name>WipeHandle</name>
    <message>
        <source>Line between before and after</source>
        <translation>Linie zwischen vorher und nachher</translation>
    </message>
    <message>
        <source>Drag, or move with the arrow keys</source>
        <translation>Ziehen oder mit den Pfeiltasten bewegen</translation>
    </message>
</context>
</TS>
