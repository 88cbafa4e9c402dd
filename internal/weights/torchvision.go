package weights

import "strings"

// torchvision's published ImageNet-1k weights of the networks that are here too (torchvision 0.26, torchvision/models,
// the url of each WeightsEnum entry). The 8 digits are the beginning of the file's SHA-256. Of two files of one network,
// the first is the older one, IMAGENET1K_V1.
const torchvisionFiles = `
	resnet18-f37072fd
	resnet34-b627a593
	resnet50-0676ba61
	resnet50-11ad3fa6
	resnet101-63fe2227
	resnet101-cd907fc2
	resnet152-394f9c45
	resnet152-f82ba261
	densenet121-a639ec97
	densenet161-8d451a50
	densenet169-b2777c0a
	densenet201-c1103571
	inception_v3_google-0cc3c7bd
	efficientnet_b0_rwightman-7f5810bc
	convnext_tiny-983f1562
`

const torchvisionFolder = "https://download.pytorch.org/models/"

// Names lists the published files that have names here: torchvision/resnet50-0676ba61.
func Names() []string {
	names := strings.Fields(torchvisionFiles)
	for i := range names {
		names[i] = "torchvision/" + names[i]
	}
	return names
}

// Lookup is the source of a published file by its name.
func Lookup(name string) (Source, bool) {
	for _, known := range Names() {
		if name == known {
			file := strings.TrimPrefix(known, "torchvision/")
			return Source{URL: torchvisionFolder + file + ".pth", SHA256: file[strings.LastIndexByte(file, '-')+1:]}, true
		}
	}
	return Source{}, false
}
