package main

import (
	"context"
	"flag"
	"log"
	"os"
	"path/filepath"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// The provisioner that StorageClasses name.
	provisionerName = "ottla.test/directory"
	provisionedBy   = "pv.kubernetes.io/provisioned-by"
	selectedNode    = "volume.kubernetes.io/selected-node"
	resyncEvery     = 10 * time.Second
)

// directories makes a `local` volume of each claim: a directory on the node that the scheduler has chosen. A local volume, not
// hostPath, since fsGroup applies to it. Sizes are not enforced, so a claim grows by saying so.
type directories struct {
	root    string
	api     kubernetes.Interface
	classes listers.StorageClassLister
}

func provisioner(args []string) {
	flags := flag.NewFlagSet("provisioner", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "how the API server is reached")
	root := flags.String("directory", "", "where the volumes are")
	flags.Parse(args)
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		log.Fatal(err)
	}
	api := kubernetes.NewForConfigOrDie(config)
	factory := informers.NewSharedInformerFactory(api, resyncEvery)
	d := &directories{root: *root, api: api, classes: factory.Storage().V1().StorageClasses().Lister()}
	factory.Core().V1().PersistentVolumeClaims().Informer().AddEventHandler(handler(func(object any) error {
		return d.claim(object.(*core.PersistentVolumeClaim))
	}))
	factory.Core().V1().PersistentVolumes().Informer().AddEventHandler(handler(func(object any) error {
		return d.volume(object.(*core.PersistentVolume))
	}))
	forever := context.Background()
	factory.Start(forever.Done())
	factory.WaitForCacheSync(forever.Done())
	select {}
}

// A failure is logged; the informer's resync brings the object again.
func handler(reconcile func(any) error) cache.ResourceEventHandler {
	do := func(object any) {
		if err := reconcile(object); err != nil {
			log.Print(err)
		}
	}
	return cache.ResourceEventHandlerFuncs{AddFunc: do, UpdateFunc: func(_, object any) { do(object) }}
}

func (d *directories) claim(claim *core.PersistentVolumeClaim) error {
	if claim.Spec.StorageClassName == nil || claim.DeletionTimestamp != nil {
		return nil
	}
	class, err := d.classes.Get(*claim.Spec.StorageClassName)
	if err != nil || class.Provisioner != provisionerName {
		return nil
	}
	if claim.Status.Phase == core.ClaimBound {
		return d.grow(claim)
	}
	if node := claim.Annotations[selectedNode]; node != "" && claim.Spec.VolumeName == "" {
		return d.provision(claim, node, *class.ReclaimPolicy)
	}
	return nil
}

func (d *directories) provision(claim *core.PersistentVolumeClaim, node string, policy core.PersistentVolumeReclaimPolicy) error {
	name := "pvc-" + string(claim.UID)
	path := filepath.Join(d.root, node, name)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	onNode := core.NodeSelectorRequirement{Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{node}}
	terms := []core.NodeSelectorTerm{{MatchExpressions: []core.NodeSelectorRequirement{onNode}}}
	volume := &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: name, Annotations: map[string]string{provisionedBy: provisionerName}},
		Spec: core.PersistentVolumeSpec{
			Capacity:                      core.ResourceList{core.ResourceStorage: claim.Spec.Resources.Requests[core.ResourceStorage]},
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			StorageClassName:              *claim.Spec.StorageClassName,
			PersistentVolumeReclaimPolicy: policy,
			ClaimRef:                      &core.ObjectReference{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID},
			PersistentVolumeSource:        core.PersistentVolumeSource{Local: &core.LocalVolumeSource{Path: path}},
			NodeAffinity:                  &core.VolumeNodeAffinity{Required: &core.NodeSelector{NodeSelectorTerms: terms}},
		},
	}
	_, err := d.api.CoreV1().PersistentVolumes().Create(context.Background(), volume, meta.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// grow plays the external resizer: the capacity follows the request at once.
func (d *directories) grow(claim *core.PersistentVolumeClaim) error {
	wanted := claim.Spec.Resources.Requests[core.ResourceStorage]
	if has := claim.Status.Capacity[core.ResourceStorage]; wanted.Cmp(has) <= 0 {
		return nil
	}
	ctx := context.Background()
	volume, err := d.api.CoreV1().PersistentVolumes().Get(ctx, claim.Spec.VolumeName, meta.GetOptions{})
	if err != nil {
		return err
	}
	volume.Spec.Capacity[core.ResourceStorage] = wanted
	if _, err := d.api.CoreV1().PersistentVolumes().Update(ctx, volume, meta.UpdateOptions{}); err != nil {
		return err
	}
	grown := claim.DeepCopy()
	grown.Status.Capacity[core.ResourceStorage] = wanted
	grown.Status.Conditions = nil
	_, err = d.api.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(ctx, grown, meta.UpdateOptions{})
	return err
}

// volume deletes what a deleted claim has left, where its class says so.
func (d *directories) volume(volume *core.PersistentVolume) error {
	released := volume.Status.Phase == core.VolumeReleased && volume.DeletionTimestamp == nil
	ours := volume.Annotations[provisionedBy] == provisionerName && volume.Spec.Local != nil
	if !released || !ours || volume.Spec.PersistentVolumeReclaimPolicy != core.PersistentVolumeReclaimDelete {
		return nil
	}
	if err := os.RemoveAll(volume.Spec.Local.Path); err != nil {
		return err
	}
	return d.api.CoreV1().PersistentVolumes().Delete(context.Background(), volume.Name, meta.DeleteOptions{})
}
